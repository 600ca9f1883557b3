import type { RunningBroker } from "@parley/conformance";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Driver } from "../drive.ts";
import { isOther } from "../others.ts";
import { startBroker } from "../parties.ts";
import { type ContenderName, contenders, isContender, isMeasured, wires } from "../plan.ts";
import { loadContender } from "./load.ts";

const wireless: readonly ContenderName[] = ["typed", "resilient"];

let broker: RunningBroker;

beforeAll(async () => {
  broker = await startBroker();
});

afterAll(async () => {
  await broker?.end("SIGTERM");
});

describe.each(wires)("over %s", (wire) => {
  // Types and policies know nothing of the wire.
  const names = contenders.filter((name) => isContender(wire, name) && (wire === "ws" || !wireless.includes(name)));
  it.each(names)("%s does all the work", { timeout: 30_000 }, async (name) => {
    const contender = await loadContender(wire, name);
    const address = wire === "mqtt" ? `${broker.url.href}/agents/${name}` : undefined;
    // Over stdio the calling side starts the serving one.
    const serving = wire === "stdio" ? undefined : await contender.serve(address);
    const driver = new Driver(() => contender.connect(serving?.url ?? "stdio:"), name);
    try {
      const inFlight = isMeasured(wire, "c64", name) ? 4 : 1;
      const requests = { does: "requests", content: "small", count: 20, inFlight, connections: 1 } as const;
      expect(await driver.run(requests)).toMatchObject({ operations: 20 });
      if (!isOther(name)) expect(await driver.run({ ...requests, content: "large" })).toMatchObject({ operations: 20 });
      if (!isMeasured(wire, "stream", name)) return;
      const streams = { does: "streams", content: "small", streams: 1, items: 100 } as const;
      expect(await driver.run(streams)).toMatchObject({ operations: 100 });
      if (!isMeasured(wire, "pubsub", name)) return;
      const publications = { does: "publications", content: "small", count: 10, topics: 2, subscribers: 2 } as const;
      expect(await driver.run(publications)).toMatchObject({ operations: 20 });
    } finally {
      await driver.close();
      await serving?.close();
    }
  });
});

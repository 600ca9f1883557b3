import { once } from "node:events";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { afterAll, beforeAll, expect, it } from "vitest";
import { certificateText, certify } from "../src/certificate/certificate.ts";
import { htmlReport } from "../src/report/html.ts";
import { jsonReport } from "../src/report/json.ts";
import { junitReport } from "../src/report/junit.ts";
import { memoryScreen } from "../src/report/screen.ts";
import { terminalReport } from "../src/report/terminal.ts";
import { run } from "../src/run.ts";
import { selectScenarios } from "../src/scenarios/index.ts";
import { subjectRef } from "../src/subjects/index.ts";

const canary = "c4n@ry/%";
const seen = new Set<string>();
let close: () => Promise<void>;
let port: number;

beforeAll(async () => {
  const broker = await Aedes.createBroker({
    authenticate: (_client, user, password, done) => {
      seen.add(`${user}:${password}`);
      done(null, user === "alice" && password?.toString() === canary);
    },
  });
  const server = createServer(broker.handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as { port: number }).port; // a TCP server's address is an object
  close = async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    server.close();
  };
});
afterAll(() => close());

it.each([
  [canary, "pass"],
  [`${canary}-wrong`, "fail"],
])(
  "the password %s of a broker's address is used, and told nowhere",
  async (password, verdict) => {
    const report = await run({
      subjects: [subjectRef("mqtt", import.meta.dirname)],
      scenarios: selectScenarios(["RR-01", "ENV-04"]),
      seed: "secret",
      urls: [`mqtt://alice:${encodeURIComponent(password)}@127.0.0.1:${port}`],
    });
    expect(report.results.map((result) => result.verdict)).toEqual([verdict, verdict]);
    expect(seen).toContain(`alice:${password}`);
    const told = [
      jsonReport(report),
      htmlReport(report),
      junitReport(report),
      terminalReport(report, { written: [] }, memoryScreen()),
      certificateText(certify(report, "mqtt")),
    ];
    for (const text of told) {
      expect(text).not.toContain(canary);
      expect(text).not.toContain(encodeURIComponent(canary));
    }
  },
  60_000,
);

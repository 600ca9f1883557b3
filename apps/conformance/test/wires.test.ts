import { exec } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../src/result.ts";
import { run } from "../src/run.ts";
import { selectScenarios } from "../src/scenarios/index.ts";
import { builtIn, subjectRef } from "../src/subjects/index.ts";

const directory = import.meta.dirname;
const root = join(directory, "../../..");
const judged = ["pass", "unsupported", "n/a", "non-strict"];

describe("the wires that come with the suite, as `pnpm start` runs them", () => {
  let report: Report;
  beforeAll(async () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      readonly scripts: { readonly start: string };
    };
    const folder = await mkdtemp(join(tmpdir(), "parley-wires-"));
    const json = join(folder, "report.json");
    try {
      const command = `${scripts.start.replace("pnpm run build && ", "")} --seed wires --json ${json}`;
      const shown = await promisify(exec)(command, { cwd: root }).catch((error: { readonly stdout: string }) => error);
      console.log(shown.stdout);
      report = JSON.parse(await readFile(json, "utf8")) as Report;
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 600_000);

  it("pass all that applies to them", () => {
    const bad = report.results.filter(({ verdict }) => !judged.includes(verdict));
    expect(bad.map(({ transport, scenario, message }) => `${transport} ${scenario}: ${message}`)).toEqual([]);
  });

  it("show both ends the same (G-09)", () => {
    expect(report.equivalence.length).toBeGreaterThanOrEqual(25);
    expect(report.equivalence.flatMap(({ differences }) => differences)).toEqual([]);
    const compared = new Set(report.equivalence.flatMap(({ transports }) => transports));
    expect([...compared].sort()).toEqual([...builtIn].sort());
  });
});

it("a relay from HTTP to WebSocket, which is nothing but listen(connection.call), passes ENV, RR and SS", async () => {
  const report = await run({
    subjects: [subjectRef("./subjects/relay.ts", directory)],
    scenarios: selectScenarios(["ENV", "RR", "SS"]),
    seed: "relay",
  });
  const verdicts = new Map(
    report.results.map(({ scenario, verdict, message }) => [scenario, verdict === "fail" ? message : verdict]),
  );
  expect(verdicts.get("RR-03")).toBe("n/a");
  expect(verdicts.get("RR-06")).toBe("unsupported");
  for (const id of ["RR-03", "RR-06"]) verdicts.delete(id);
  expect([...verdicts].filter(([, verdict]) => verdict !== "pass")).toEqual([]);
  expect(verdicts.size).toBe(20);
}, 60_000);

it("a chain of relays HTTP → MQTT → gRPC → WebSocket → SSE → stdio keeps every attribute (G-09)", async () => {
  const report = await run({
    subjects: [subjectRef("./subjects/chain.ts", directory)],
    scenarios: selectScenarios(["ENV-01", "ENV-02", "ENV-05", "SS-01"]),
    seed: "chain",
  });
  expect(report.results.map(({ scenario, verdict, message }) => [scenario, verdict, message])).toEqual([
    ["ENV-01", "pass", undefined],
    ["ENV-02", "pass", undefined],
    ["ENV-05", "pass", undefined],
    ["SS-01", "pass", undefined],
  ]);
}, 60_000);

it("two runs with one seed come to the same verdicts, and send the same (G-10)", async () => {
  const once = () =>
    run({
      subjects: ["memory", "ws"].map((name) => subjectRef(name, directory)),
      scenarios: selectScenarios(["ENV", "RR", "SS", "ERR", "PS"]),
      seed: "twice",
    });
  const [one, other] = [await once(), await once()];
  const vector = ({ results }: Report) =>
    results.map(({ transport, scenario, verdict, seen }) => [transport, scenario, verdict, seen?.hash]).sort();
  expect(vector(one)).toEqual(vector(other));
}, 120_000);

import { expect, it } from "vitest";
import { run } from "../src/run.ts";
import { scenarios, selectScenarios } from "../src/scenarios/index.ts";
import { builtIn, subjectRef } from "../src/subjects/index.ts";

const directory = import.meta.dirname;

it("every wire that comes with the suite passes all that applies to it", async () => {
  const report = await run({ subjects: builtIn.map((name) => subjectRef(name, directory)), scenarios, seed: "wires" });
  const bad = report.results.filter(({ verdict }) => !["pass", "unsupported", "n/a"].includes(verdict));
  expect(bad.map(({ transport, scenario, message }) => `${transport} ${scenario}: ${message}`)).toEqual([]);
  const memory = report.results.filter(({ transport }) => transport === "memory");
  expect(memory.map(({ verdict }) => verdict)).toEqual(scenarios.map(() => "pass"));
}, 120_000);

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

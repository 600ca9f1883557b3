import { expect, it } from "vitest";
import * as entry from "./index.ts";

it("exports what the README names, and nothing by accident", () => {
  expect(Object.keys(entry).sort()).toEqual([
    "exitCodeOf",
    "groups",
    "mqttBroker",
    "run",
    "runWire",
    "scenarios",
    "selectScenarios",
    "subjectRef",
    "totalsOf",
    "verdicts",
  ]);
});

import { expect, it } from "vitest";
import { killMatrix, unproven } from "../src/mutants/kill.ts";
import { scenarios } from "../src/scenarios/index.ts";

it("every mutant turns its scenario red, every MUST has one that does, and the reference stays green (G-01)", async () => {
  const kills = await killMatrix(scenarios, { seed: "mutants" });
  const survivors = kills.filter(({ killed }) => !killed);
  expect(
    survivors.map(({ mutant, scenario, result }) => `${scenario.id} ${mutant.id}: ${result.verdict} ${result.message}`),
  ).toEqual([]);
  expect(unproven(scenarios, kills)).toEqual([]);
}, 600_000);

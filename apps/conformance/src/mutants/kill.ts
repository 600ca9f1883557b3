import type { Result } from "../result.ts";
import { runWire } from "../run-wire.ts";
import type { Scenario } from "../scenario.ts";
import type { Subject } from "../subject.ts";
import { subject as reference } from "../subjects/memory.ts";
import { mutants } from "./index.ts";
import type { Mutant } from "./mutate.ts";

/** What became of one mutant. */
export interface Kill {
  readonly mutant: Mutant;
  readonly scenario: Scenario;
  /** The scenario is red on the mutant, and green on the reference. */
  readonly killed: boolean;
  readonly result: Result;
}

/** How mutants are run. */
export interface KillOptions {
  readonly seed: string;
  /** Multiplies all times; mutants that hang cost a T each. @default 0.25 */
  readonly scale?: number;
  onKill?(kill: Kill): void;
}

/** Runs every mutant of the scenarios, each on the one scenario that it must turn red, and the reference, which must stay green. */
export async function killMatrix(
  scenarios: readonly Scenario[],
  { seed, scale = 0.25, onKill }: KillOptions,
): Promise<readonly Kill[]> {
  const kills: Kill[] = [];
  for (const scenario of scenarios) {
    const sound = await runOne(reference, scenario, seed, scale);
    for (const mutant of mutants.filter(({ id }) => scenario.mutants.includes(id))) {
      const result = await runOne(mutant.subject, scenario, seed, scale);
      const kill = { mutant, scenario, killed: result.verdict === "fail" && sound.verdict === "pass", result };
      kills.push(kill);
      onKill?.(kill);
    }
  }
  return kills;
}

async function runOne(subject: Subject, scenario: Scenario, seed: string, scale: number): Promise<Result> {
  let result: Result | undefined;
  await runWire(subject, {
    scenarios: [scenario],
    seed,
    scale,
    onResult: (one) => {
      result = one;
    },
  });
  if (!result) throw new Error(`${scenario.id} gave no result on ${subject.name}`);
  return result;
}

/** The scenarios that no mutant turned red: until one does, they only inform (G-01). */
export function unproven(scenarios: readonly Scenario[], kills: readonly Kill[]): readonly Scenario[] {
  return scenarios.filter(
    ({ id, level }) => level === "must" && !kills.some(({ scenario, killed }) => killed && scenario.id === id),
  );
}

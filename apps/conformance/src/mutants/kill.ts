import type { Result } from "../result.ts";
import { runWire } from "../run-wire.ts";
import type { Scenario } from "../scenario.ts";
import { subject as reference } from "../subjects/memory.ts";
import { childReference } from "./child-lines.ts";
import { mutants } from "./index.ts";
import { type Mutant, packagedWire } from "./mutate.ts";
import { tcpReference } from "./tcp-lines.ts";

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
    const sound = new Map<Mutant["base"], Result>();
    for (const mutant of mutants.filter(({ id }) => scenario.mutants.includes(id))) {
      const { base } = mutant;
      const green = sound.get(base) ?? (await runOne(referenceFor(base), scenario, seed, scale, served(base)));
      sound.set(base, green);
      const result = await runOne(mutant.subject, scenario, seed, scale, served(base, mutant.id));
      const kill = { mutant, scenario, killed: result.verdict === "fail" && green.verdict === "pass", result };
      kills.push(kill);
      onKill?.(kill);
    }
  }
  return kills;
}

function referenceFor(base: Mutant["base"]): Mutant["subject"] {
  if (base === "memory") return reference;
  if (base === "child") return childReference;
  return base === "tcp" || base === "process" ? tcpReference : () => packagedWire(base);
}

/** The module of a mutant, or of its reference, where the serving side is a process of its own. */
function served(base: Mutant["base"], id?: string): string | undefined {
  if (base !== "process" && base !== "mqtt") return undefined;
  const here = import.meta.url;
  const module = new URL(here.endsWith(".ts") ? "./served.ts" : "./served.js", here);
  if (id !== undefined) module.searchParams.set("mutant", id);
  else if (base === "mqtt") module.searchParams.set("wire", base);
  return module.href;
}

async function runOne(
  which: Mutant["subject"],
  scenario: Scenario,
  seed: string,
  scale: number,
  module: string | undefined,
): Promise<Result> {
  let result: Result | undefined;
  const subject = typeof which === "function" ? await which() : which;
  await runWire(subject, {
    scenarios: [scenario],
    seed,
    scale,
    module,
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

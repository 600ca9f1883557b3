import { parseArgs } from "node:util";
import { planOf, shrink, type WorldName, worldNames } from "./plan.ts";
import { runPlan } from "./world.ts";

const help = `Runs calls in a simulated world, in virtual time, with cuts, silence, stalls, losses and restarts; one seed is one run.

  pnpm sim                     10,000 seeds, the worlds taking turns
  pnpm sim --world broker      all in one world: ${worldNames.join(", ")}
  pnpm sim --seeds 500         so many, from 1
  pnpm sim --from 7000         from another one
  pnpm sim --seed 42           one seed, with what happened`;

const { values } = parseArgs({
  options: {
    world: { type: "string" },
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(help);
else if (values.seed !== undefined) await replay(number("seed", values.seed), worldOption(values.world));
else await search(number("from", values.from), number("seeds", values.seeds), worldOption(values.world));

/** Shows one run. */
async function replay(seed: number, name: WorldName | undefined): Promise<void> {
  const plan = planOf(seed, name);
  const { trace, violations, digest } = await runPlan(plan, { keepTrace: true });
  for (const line of trace) console.log(line);
  const what = `seed ${seed} of the world ${plan.world}`;
  console.log(violations.length === 0 ? `${what} holds (${digest.slice(0, 16)})` : `${what} does not hold`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}

/** Runs many; the first that fails is made smaller and shown. */
async function search(from: number, seeds: number, name: WorldName | undefined): Promise<void> {
  const start = performance.now();
  let events = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const plan = planOf(seed, name);
    const verdict = await runPlan(plan);
    events += verdict.events;
    if (verdict.violations.length === 0) continue;
    const smallest = await shrink(plan, async (smaller) => (await runPlan(smaller)).violations.length > 0);
    const { trace } = await runPlan(smallest, { keepTrace: true });
    for (const line of trace) console.log(line);
    console.log(`\nseed ${seed} does not hold. What is left of its plan:\n${JSON.stringify(smallest, undefined, 2)}`);
    console.log(`\nthe whole of it: pnpm sim --world ${plan.world} --seed ${seed}`);
    process.exitCode = 1;
    return;
  }
  const seconds = (performance.now() - start) / 1_000;
  const where = name ?? "all worlds";
  console.log(`${seeds} seeds from ${from} hold (${where}): ${events} events in ${seconds.toFixed(1)} s`);
}

function worldOption(text: string | undefined): WorldName | undefined {
  const found = worldNames.find((name) => name === text);
  if (text === undefined || found) return found;
  console.error(`--world takes ${worldNames.join(", ")}, and was given ${JSON.stringify(text)}`);
  process.exit(2);
}

function number(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  console.error(`--${option} takes a whole number from 1, and was given ${JSON.stringify(text)}`);
  process.exit(2);
}

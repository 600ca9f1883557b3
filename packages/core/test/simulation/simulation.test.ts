import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type Plan, planOf, shrink, worldNames } from "./plan.ts";
import { runPlan } from "./world.ts";
import { wrongVariants } from "./wrong-variants.ts";

/** A whole run over many seeds is `pnpm sim`. */
const SEEDS = 500;

test.each(worldNames)(
  "what both sides saw is consistent, whatever goes wrong in the world %s",
  async (world) => {
    const bad: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations } = await runPlan(planOf(seed, world));
      if (violations.length > 0) bad.push(`pnpm sim --world ${world} --seed ${seed}: ${violations.join("; ")}`);
    }
    expect(bad).toEqual([]);
  },
  60_000,
);

test.each(worldNames)("the same seed gives the same run, another seed another, in the world %s", async (world) => {
  const digests = new Set<string>();
  for (const seed of [3, 14, 159]) {
    const plan = planOf(seed, world);
    const [first, second] = [await runPlan(plan), await runPlan(plan)];
    expect(second.digest).toBe(first.digest);
    digests.add(first.digest);
  }
  expect(digests.size).toBe(3);
});

test("the worlds take turns", () => {
  const worlds = [1, 2, 3, 4, 5].map((seed) => planOf(seed).world);
  expect(worlds).toEqual(["channel", "resilience", "broker", "sessions", "channel"]);
});

test.each(Object.entries(wrongVariants))(
  "%s is noticed",
  async (_name, { world, options, noticed }) => {
    for (let seed = 1; seed <= SEEDS * 2; seed++) {
      const { violations } = await runPlan(planOf(seed, world), options);
      if (violations.some((violation) => noticed.test(violation))) return;
    }
    expect.unreachable(`not noticed within ${SEEDS * 2} seeds`);
  },
  60_000,
);

test("a failing plan shrinks to what it needs to fail", async () => {
  const { options } = wrongVariants["a client that loses an item"] as (typeof wrongVariants)[string];
  const fails = async (plan: Plan): Promise<boolean> => (await runPlan(plan, options)).violations.length > 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const plan = planOf(seed, "channel");
    if (plan.steps.length < 8 || !(await fails(plan))) continue;
    const smallest = await shrink(plan, fails);
    expect(smallest.steps).toHaveLength(1);
    expect(smallest.faults).toHaveLength(0);
    expect(["stream", "chat"]).toContain(smallest.steps[0]?.does);
    return;
  }
  expect.unreachable("no seed failed");
}, 60_000);

test("the program takes a world, and refuses what is none", async () => {
  const cli = new URL("cli.ts", import.meta.url).pathname;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [cli, "--world", "broker", "--seeds", "3"]);
  expect(stdout).toMatch(/^3 seeds from 1 hold \(broker\): \d+ events/);
  await expect(run(process.execPath, [cli, "--world", "flat"])).rejects.toMatchObject({ code: 2 });
}, 30_000);

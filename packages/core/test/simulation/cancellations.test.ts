import { expect, test } from "vitest";
import type { Plan, Step } from "./plan.ts";
import { Random } from "./random.ts";
import { runPlan } from "./world.ts";

const CALLS = 10_000;

const kinds: readonly Step["does"][] = ["request", "stream", "upload", "chat", "subscribe"];

test.each(["channel", "broker"] as const)(
  "10,000 calls cancelled at random points leave nothing open, in the world %s",
  async (world) => {
    const random = new Random(4);
    const steps = Array.from(
      { length: CALLS },
      (): Step => ({
        atMs: random.next() * 2_000,
        does: random.pick(kinds),
        items: random.pick([3, 9, 40]),
        workMs: random.pick([0, 1, 5, 60]),
        cancelAfterMs: random.next() * random.pick([0, 3, 10, 60]),
      }),
    );
    const plan: Plan = { world, seed: 4, steps, faults: [] };
    const { violations, events } = await runPlan(plan);
    expect(violations).toEqual([]);
    expect(events).toBeGreaterThan(CALLS);
  },
  120_000,
);

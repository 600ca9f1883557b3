import { describe, expect, it } from "vitest";
import { failure, turn } from "../../test/policies.ts";
import { createCall } from "../call/call.ts";
import type { ParleyError } from "../call/error.ts";
import { errorData, readError } from "../call/error-event.ts";
import type { Interceptor, Invoke } from "../call/interceptor.ts";
import { createEnvelope } from "../envelope/create.ts";
import { createRuntime, type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { type ResilienceOptions, resilience } from "./resilience.ts";

/** A clock for many timers, in steps of so many milliseconds, with chance that is the same each time. */
function simulation(stepMs: number) {
  let now = 0;
  let seed = 12_345;
  const due = new Map<number, Set<() => void>>();
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const runtime: Runtime = createRuntime({
    ...systemRuntime,
    now: () => now,
    randomBytes: (target) => {
      for (let index = 0; index < target.length; index++) target[index] = random() * 256;
    },
    setTimer(run, delayMs) {
      const at = Math.max(now + stepMs, Math.ceil((now + delayMs) / stepMs) * stepMs);
      const slot = due.get(at) ?? new Set();
      due.set(at, slot);
      const entry = (): void => run();
      slot.add(entry);
      return () => void slot.delete(entry);
    },
  });
  return {
    runtime,
    async run(untilMs: number): Promise<void> {
      for (; now < untilMs; now += stepMs) {
        const slot = due.get(now);
        due.delete(now);
        if (!slot) continue;
        for (const run of slot) run();
        await turn();
      }
    },
  };
}

const message = createEnvelope({ kind: "request", type: "test.any.v1", source: "/test" });

function call(invoke: Invoke, runtime: Runtime): void {
  const made = createCall({ kind: "request", message, idempotent: true }, runtime);
  invoke(made)
    .catch(() => {})
    .finally(() => made.settle());
}

/** What crosses a wire from an agent that failed because one further down did. */
const wire: Interceptor = (next) => (made) =>
  next(made).catch((error: ParleyError) => {
    throw readError({ ...errorData(error), outcome: "rejected" });
  });

describe("a peer that fails always", () => {
  it.each([
    ["often", 1_000, 1.15],
    ["now and then", 2, 2.05],
  ])(
    "behind three layers that are called %s gets little more than what was asked for (I03)",
    async (_, perSecond, most) => {
      const { runtime, run } = simulation(1);
      let arrived = 0;
      let invoke: Invoke = () => {
        arrived++;
        return Promise.reject(failure("rejected"));
      };
      for (let layer = 0; layer < 3; layer++) invoke = resilience({ retry: {}, runtime })(wire(invoke));
      const asked = perSecond * 20;
      for (let n = 0; n < asked; n++) runtime.setTimer(() => call(invoke, runtime), (n * 1_000) / perSecond);
      await run(25_000);
      expect(arrived / asked).toBeGreaterThan(1.05);
      expect(arrived / asked).toBeLessThanOrEqual(most);
    },
    30_000,
  );
});

describe("a peer that is down for a minute", () => {
  const policies: ResilienceOptions = { timeoutMs: 500, deadlineMs: 5_000, retry: {}, breaker: {} };
  const DOWN_MS = 10_000;
  const UP_MS = 70_000;

  /** How many calls arrive in the second that begins at each tenth of one, as a multiple of what is usual. */
  async function loads(clients: number, perSecond: number, options: ResilienceOptions): Promise<readonly number[]> {
    const { runtime, run } = simulation(10);
    const tenths: number[] = Array(800).fill(0);
    const peer: Invoke = () => {
      const tenth = Math.floor(runtime.now() / 100);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      const isUp = runtime.now() < DOWN_MS || runtime.now() >= UP_MS;
      return isUp ? Promise.resolve({ message }) : Promise.reject(failure("unknown"));
    };
    for (let client = 0; client < clients; client++) {
      const invoke = resilience({ ...options, runtime })(peer);
      const again = (): void => {
        call(invoke, runtime);
        runtime.setTimer(again, 1_000 / perSecond);
      };
      // Evenly spread, so that only retries are left to chance.
      runtime.setTimer(again, (client / clients) * (1_000 / perSecond));
    }
    await run(80_000);
    const usual = clients * perSecond;
    return tenths.slice(0, -10).map((_, from) => sum(tenths.slice(from, from + 10)) / usual);
  }

  it.each([
    [1_000, 0.1],
    [300, 1],
    [100, 5],
    [25, 20],
  ])(
    "gets at most twice the usual in any second, down or up again, of %i clients that each call %d times a second (I16)",
    async (clients, perSecond) => {
      const seconds = await loads(clients, perSecond, policies);
      // From when all have begun. Which tenth a retry falls into is chance.
      expect(Math.max(...seconds.slice(DOWN_MS / 100 - 10))).toBeLessThanOrEqual(2.05);
      expect(Math.max(...seconds.slice(UP_MS / 100 + 1))).toBeLessThanOrEqual(1.05);
      expect(seconds.at(-1)).toBeCloseTo(1, 1);
    },
    60_000,
  );

  it("would get three times the usual without a budget", async () => {
    const seconds = await loads(100, 5, { ...policies, budget: false });
    expect(Math.max(...seconds)).toBeGreaterThan(2.5);
  }, 60_000);
});

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

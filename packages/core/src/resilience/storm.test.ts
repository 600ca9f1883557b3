import { describe, expect, it } from "vitest";
import { failure, turn } from "../../test/policies.ts";
import { createCall } from "../call/call.ts";
import type { ParleyError } from "../call/error.ts";
import { errorData, readError } from "../call/error-event.ts";
import type { Interceptor, Invoke } from "../call/interceptor.ts";
import { createEnvelope } from "../envelope/create.ts";
import { createRuntime, type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { type ResilienceOptions, resilience } from "./resilience.ts";

/** A clock for many timers, in steps of a millisecond, with chance that is the same each time. */
function simulation() {
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
      const at = Math.ceil(now + Math.max(0, delayMs));
      const slot = due.get(at) ?? new Set();
      due.set(at, slot);
      const entry = (): void => run();
      slot.add(entry);
      return () => void slot.delete(entry);
    },
  });
  return {
    runtime,
    random,
    async run(untilMs: number): Promise<void> {
      for (; now < untilMs; now++) {
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
      const { runtime, run } = simulation();
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

  /** Calls that arrive in each second; all start at random in their first. */
  async function arrivals(clients: number, perSecond: number): Promise<readonly number[]> {
    const { runtime, random, run } = simulation();
    const seconds: number[] = Array(100).fill(0);
    const peer: Invoke = () => {
      const second = Math.floor(runtime.now() / 1_000);
      seconds[second] = (seconds[second] ?? 0) + 1;
      return second < 10 || second >= 70 ? Promise.resolve({ message }) : Promise.reject(failure("unknown"));
    };
    for (let client = 0; client < clients; client++) {
      const invoke = resilience({ ...policies, runtime })(peer);
      const again = (): void => {
        call(invoke, runtime);
        if (runtime.now() < 99_000) runtime.setTimer(again, 1_000 / perSecond);
      };
      runtime.setTimer(again, (random() * 1_000) / perSecond);
    }
    await run(100_000);
    return seconds.slice(1, 99);
  }

  it("is not stormed when it is up again: of 1,000 clients at most twice the usual come in any second (I16)", async () => {
    const seconds = await arrivals(1_000, 1);
    expect(seconds[4]).toBe(1_000);
    expect(Math.max(...seconds.slice(69))).toBeLessThanOrEqual(2_000);
    // When it goes down nobody can tell it from a single failure: all three attempts are made, once. Then the budget, then breakers.
    expect(Math.max(...seconds.slice(9, 11))).toBeLessThanOrEqual(3_000);
    // Which second a retry falls into is chance.
    expect(Math.max(...seconds.slice(11))).toBeLessThanOrEqual(2_000 * 1.05);
    expect(seconds.slice(9, 69).reduce((sum, count) => sum + count)).toBeLessThan(60_000 / 2);
    expect(seconds.slice(-5)).toEqual(Array(5).fill(1_000));
  }, 60_000);

  it("gets at most twice the usual while it is down, from clients that call often", async () => {
    const seconds = await arrivals(50, 20);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(2_000);
    expect(seconds.slice(-5)).toEqual(Array(5).fill(1_000));
  }, 60_000);
});

import { describe, expect, it } from "vitest";
import { failure, open, Peer, setting, turn, type Watched } from "../../test/policies.ts";
import { Random } from "../../test/simulation/random.ts";
import { type Interceptor, intercept } from "../call/interceptor.ts";
import type { CallKind } from "../envelope/envelope.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { breaker } from "./breaker.ts";
import { bulkhead } from "./bulkhead.ts";
import { together } from "./guarded-call.ts";
import { retry } from "./retry.ts";
import { retryBudget } from "./retry-budget.ts";
import { timeout } from "./timeout.ts";

const steps = [
  ...(["answer", "answer", "answer", "hang"] as const),
  failure("not-sent"),
  failure("not-sent", "unavailable", 0),
  failure("unknown"),
  failure("rejected", "invalid_argument"),
];

const kinds: readonly CallKind[] = ["request", "request", "notify", "server-stream", "client-stream"];

/** What a hundred calls come to, made and given up at random, and what the peer and the policies have seen of them. */
async function history(
  seed: number,
  join: (order: readonly Interceptor[]) => readonly Interceptor[],
): Promise<unknown> {
  const random = new Random(seed);
  const peer = new Peer(...Array.from({ length: 400 }, () => random.pick(steps)));
  const stats: (() => unknown)[] = [];
  const { clock, call, travel } = setting(peer, (manual) => {
    const runtime: Runtime = { ...manual.runtime, randomBytes: (target) => target.set([0, 0, 0, 0x80]) };
    const budget = retryBudget({ runtime });
    const room = bulkhead({ maxConcurrent: 3, maxQueued: 2 });
    const circuit = breaker({ runtime, minCalls: 8, windowMs: 1_000, openMs: 200 });
    stats.push(budget.stats, room.stats, circuit.stats);
    const order = [room, retry({ runtime, budget, baseMs: 20 }), circuit, timeout({ runtime, timeoutMs: 50 })];
    return (next) => intercept(next, join(order));
  });
  const seen: unknown[] = [];
  const watched: Watched[] = [];
  for (let made = 0; made < 100; made++) {
    const kind = random.pick(kinds);
    const deadline = random.chance(0.2) ? clock.runtime.now() + Math.ceil(random.next() * 80) : undefined;
    const input = kind === "client-stream" ? (async function* () {})() : undefined;
    const one = call({ kind, deadline, input, idempotent: random.chance(0.5) });
    await turn();
    if (random.chance(0.3)) one.call.abort(failure("unknown", "cancelled"));
    // By whole milliseconds, so that no promise settles later than the timer that it is settled by.
    await travel(Math.ceil(random.next() * 30), 1);
    watched.push(one.watched);
    seen.push(stats.map((read) => read()));
  }
  await travel(1_000, 1);
  const sent = peer.calls.map(({ message, deadline, aborted }) => [message.attempt, deadline, aborted?.message]);
  const ends = watched.map(({ state, error }) => [state, error?.code, error?.outcome, error?.message, error?.details]);
  return { seen, sent, ends };
}

describe("policies that are joined", () => {
  it("do what they do one inside the other", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      expect(await history(seed, together), `seed ${seed}`).toEqual(await history(seed, (order) => order));
    }
  });

  it("are one, in their order and by one clock", () => {
    const order = [bulkhead({ maxConcurrent: 1 }), retry(), breaker(), timeout({ timeoutMs: 1 })];
    expect(together(order)).toHaveLength(1);
    expect(together(order.toReversed())).toHaveLength(4);
    expect(together([...order, ...order])).toHaveLength(2);
    const own: Interceptor = (next) => next;
    expect(together([own, ...order, own])).toHaveLength(3);
    expect(
      together([retry(), breaker({ runtime: setting(new Peer(), ({ runtime }) => retry({ runtime })).clock.runtime })]),
    ).toHaveLength(2);
  });

  it("make no call that was aborted before, and leave no place behind", async () => {
    const room = bulkhead({ maxConcurrent: 1 });
    const { clock, peer, invoke } = setting(
      new Peer(),
      ({ runtime }) =>
        (next) =>
          intercept(next, together([room, timeout({ runtime, timeoutMs: 10 })])),
    );
    const call = open(clock);
    call.abort(failure("unknown", "cancelled"));
    await expect(invoke(call)).rejects.toMatchObject({ code: "cancelled" });
    expect([peer.calls.length, room.stats().running]).toEqual([0, 0]);
  });
});

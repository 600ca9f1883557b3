import { describe, expect, it } from "vitest";
import { failure, Peer, setting, turn } from "../../test/policies.ts";
import { ParleyError } from "../call/error.ts";
import { type HedgeOptions, hedge } from "./hedge.ts";
import { retryBudget } from "./retry-budget.ts";

function hedging(peer: Peer, options: HedgeOptions = { delayMs: 50 }) {
  return setting(peer, ({ runtime }) => hedge({ runtime, ...options }));
}

const same = { idempotent: true };

describe("a hedge", () => {
  it("makes another attempt after the delay; the first answer wins, and the loser is cancelled (I13)", async () => {
    const { peer, call, travel, clock } = hedging(new Peer("hang", "answer"));
    const { watched } = call(same);
    await travel(49, 7);
    expect(peer.calls).toHaveLength(1);
    await travel(16, 4);
    expect([peer.calls.length, watched.state]).toEqual([2, "done"]);
    expect(peer.calls.map(({ aborted }) => aborted?.code)).toEqual(["cancelled", undefined]);
    expect([clock.timers, clock.runtime.deadlines.size]).toEqual([0, 0]);
  });

  it.each([
    ["neither declared idempotent nor keyed", {}],
    ["a notification", { kind: "notify", ...same }],
    ["a stream of the caller's", { kind: "client-stream", ...same }],
    ["a subscription", { kind: "subscribe" }],
  ] as const)("leaves alone what is %s (I13)", async (_, init) => {
    const { peer, call, travel } = hedging(new Peer("hang"));
    call(init);
    await travel(500);
    expect(peer.calls).toHaveLength(1);
  });

  it("is not made for a call that was answered in time", async () => {
    const { peer, call, travel, clock } = hedging(new Peer("answer"));
    const { watched } = call(same);
    await turn();
    expect([watched.state, clock.timers]).toEqual(["done", 0]);
    await travel(500);
    expect([peer.calls.length, peer.calls[0]?.aborted]).toEqual([1, undefined]);
  });

  it("counts against the budget, and is not made without (I13)", async () => {
    const budget = retryBudget({ ratio: 0, perSecond: 0.1 });
    const { peer, call, travel } = hedging(new Peer("hang"), { delayMs: 50, budget });
    call(same);
    call(same);
    await travel(500);
    expect([peer.calls.length, budget.stats().spent]).toEqual([3, 1]);
  });

  it("that fails waits for the other", async () => {
    const { peer, call, travel } = hedging(new Peer("hang", failure("not-sent")));
    const { call: made, watched } = call(same);
    await travel(200);
    expect([peer.calls.length, watched.state]).toEqual([2, "pending"]);
    made.abort(new ParleyError("cancelled", "enough"));
    await turn();
    expect([watched.error?.code, peer.calls[0]?.aborted?.code]).toEqual(["cancelled", "cancelled"]);
  });

  it("fails with the worst outcome when all have failed", async () => {
    const held = Promise.withResolvers<never>();
    const peer = new Peer(failure("not-sent"));
    const all = setting(peer, ({ runtime }) => (next) => {
      let calls = 0;
      return hedge({ delayMs: 50, runtime })((call) => (calls++ === 0 ? held.promise : next(call)));
    });
    const { watched } = all.call(same);
    await all.travel(100);
    expect([watched.state, peer.calls.length]).toEqual(["pending", 1]);
    held.reject(failure("unknown", "aborted"));
    await turn();
    expect(watched.error).toMatchObject({ code: "aborted", outcome: "unknown" });
  });

  it("fails at once when the first fails before the delay", async () => {
    const { peer, call } = hedging(new Peer(failure("unknown")));
    const { watched } = call(same);
    await turn();
    expect([watched.state, peer.calls.length]).toEqual(["failed", 1]);
  });

  it("of a stream cancels the loser and leaves the winner to its reader", async () => {
    const { peer, call, travel } = hedging(new Peer("hang", "answer"));
    const { call: made, watched } = call({ kind: "server-stream", ...same });
    await travel(100);
    expect([watched.state, peer.calls.map(({ aborted }) => aborted?.code)]).toEqual(["done", ["cancelled", undefined]]);
    made.abort(new ParleyError("cancelled", "enough"));
    expect(peer.calls[1]?.aborted?.code).toBe("cancelled");
  });

  it("by percentile waits until it knows how long answers take", async () => {
    let ms = 0;
    let calls = 0;
    const all = setting(
      new Peer(),
      ({ runtime }) =>
        (next) =>
          hedge({ percentile: 0.9, runtime })((call) => {
            calls++;
            if (ms === Number.POSITIVE_INFINITY) return new Promise(() => {});
            return new Promise((resolve) => runtime.setTimer(() => resolve(next(call)), ms));
          }),
    );
    for (ms = 1; ms <= 20; ms++) {
      all.call(same);
      await all.travel(30, 1);
    }
    expect(calls).toBe(20);
    ms = Number.POSITIVE_INFINITY;
    all.call(same);
    await all.travel(17, 1);
    expect(calls).toBe(21);
    await all.travel(16, 1);
    expect(calls).toBe(22);
  });

  it("needs a delay or a percentile", () => {
    expect(() => hedge({})).toThrow(/delayMs or percentile/);
  });
});

import { describe, expect, it } from "vitest";
import type { ManualRuntime } from "../../test/manual-runtime.ts";
import { failure, open, Peer, setting, turn, watch } from "../../test/policies.ts";
import { ParleyError } from "../call/error.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { refused } from "./refused.ts";
import { type Retry, type RetryOptions, retry } from "./retry.ts";
import { retryBudget } from "./retry-budget.ts";

function retrying(peer: Peer, options: RetryOptions = {}) {
  return setting(peer, ({ runtime }) => retry({ runtime, ...options }));
}

describe("a call that failed is made again", () => {
  const once: readonly [string, ParleyError, object, number][] = [
    ["not-sent, whatever it does", failure("not-sent"), {}, 2],
    ["unknown, if its operation is idempotent", failure("unknown"), { idempotent: true }, 2],
    ["unknown, if it has a key", failure("unknown"), { attributes: { idempotencykey: "k" } }, 2],
    ["unknown, if it subscribes", failure("unknown"), { kind: "subscribe" }, 2],
    ["unknown after a time out, if it is idempotent", failure("unknown", "deadline_exceeded"), { idempotent: true }, 2],
    ["rejected with a retryable code", failure("rejected"), {}, 2],
    ["not: unknown, and neither declared nor keyed", failure("unknown"), {}, 1],
    ["not: rejected with another code", failure("rejected", "invalid_argument"), { idempotent: true }, 1],
    ["not: too late for the peer", failure("rejected", "deadline_exceeded"), { idempotent: true }, 1],
    ["not: what this side refused to send", failure("not-sent", "invalid_argument"), {}, 1],
    ["not: refused by a policy of this process", refused("unavailable", "open", 10), {}, 1],
  ];
  it.each(once)("%s", async (_, error, init, calls) => {
    const { peer, call, travel } = retrying(new Peer(error, "answer"));
    const { watched } = call(init);
    await travel(1_000);
    expect([peer.calls.length, watched.state]).toEqual([calls, calls === 2 ? "done" : "failed"]);
  });

  it("with the same message, and so the same id", async () => {
    const { peer, call, travel } = retrying(new Peer(failure("not-sent"), "answer"));
    call();
    await travel(1_000);
    expect(peer.calls[1]?.message).toBe(peer.calls[0]?.message);
  });

  it("and says how old it is if it has a key and may have arrived", async () => {
    const { peer, call, travel } = retrying(
      new Peer(failure("not-sent"), failure("unknown"), failure("not-sent"), "answer"),
      {
        maxAttempts: 4,
      },
    );
    call({ attributes: { idempotencykey: "k" } });
    await travel(5_000);
    const ages = peer.calls.map(({ message: { attempt, agems } }) => [attempt, agems]);
    expect(ages.slice(0, 2)).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
    expect(ages.slice(2)).toEqual([
      [3, expect.any(Number)],
      [4, expect.any(Number)],
    ]);
    expect(ages[3]?.[1]).toBeGreaterThan(ages[2]?.[1] as number);
    const { message } = peer.calls[3] as (typeof peer.calls)[0];
    expect(message).toEqual({ ...peer.calls[0]?.message, attempt: 4, agems: message.agems });
  });

  it("three times in all, and fails with the last error", async () => {
    const { peer, call, travel } = retrying(new Peer(failure("not-sent"), failure("not-sent", "aborted")));
    const { watched } = call();
    await travel(2_000);
    expect([peer.calls.length, watched.error?.code]).toEqual([3, "aborted"]);
  });

  it("once at once and free of charge when the peer says so, then as any other", async () => {
    const budget = retryBudget({ ratio: 0, perSecond: 0 });
    const again = failure("not-sent", "unavailable", 0);
    const { peer, call, clock } = retrying(new Peer(again), { budget });
    const { watched } = call();
    await turn();
    expect([peer.calls.length, watched.state, clock.timers]).toEqual([2, "failed", 0]);
  });

  it("never after a stream was accepted", async () => {
    const { peer, call, travel } = retrying(new Peer("answer"));
    const { call: made, watched } = call({ kind: "server-stream", idempotent: true });
    await travel(10);
    made.abort(failure("unknown"));
    await travel(1_000);
    expect([peer.calls.length, watched.state]).toEqual([1, "done"]);
  });
});

describe("the outcome", () => {
  it.each([
    ["unknown", [failure("unknown"), failure("not-sent"), failure("not-sent")]],
    ["unknown", [failure("unknown"), failure("rejected", "not_found")]],
    ["rejected", [failure("rejected"), failure("not-sent"), failure("not-sent")]],
    ["not-sent", [failure("not-sent"), failure("not-sent"), failure("not-sent")]],
  ] as const)("is %s: the worst of all attempts", async (outcome, errors) => {
    const { call, travel } = retrying(new Peer(...errors));
    const { watched } = call({ idempotent: true });
    await travel(2_000);
    expect(watched.error?.outcome).toBe(outcome);
  });

  it("of a call that may have had its effect is unknown, and it is not repeated (I01)", async () => {
    const { peer, call, travel } = retrying(new Peer(failure("unknown"), "answer"));
    const { watched } = call();
    await travel(1_000);
    expect([peer.calls.length, watched.error?.outcome]).toEqual([1, "unknown"]);
  });
});

describe("between attempts", () => {
  it("an abort ends the call at once, with no further attempt and nothing left (I04)", async () => {
    const { peer, call, clock, travel } = retrying(new Peer(failure("not-sent"), "answer"), { baseMs: 2_000 });
    const { call: made, watched } = call();
    await turn();
    expect(clock.timers).toBe(1);
    made.abort(new ParleyError("cancelled", "enough", { outcome: "unknown" }));
    await turn();
    expect(watched).toMatchObject({ state: "failed", error: { code: "cancelled", outcome: "not-sent" } });
    await travel(3_000);
    expect([peer.calls.length, clock.timers]).toEqual([1, 0]);
  });

  it("a wait that would last beyond the deadline is not begun (I05)", async () => {
    const { peer, call, clock } = retrying(new Peer(failure("not-sent", "unavailable", 500), "answer"));
    const { watched } = call({ deadline: clock.runtime.now() + 400 });
    await turn();
    expect([watched.state, watched.error?.code, peer.calls.length]).toEqual(["failed", "unavailable", 1]);
  });

  it("waits are spread over the whole range, which doubles up to its cap", async () => {
    const delays: number[][] = [[], [], [], []];
    const onRetry = ({ attempts, delayMs }: Retry): void => void delays[attempts - 1]?.push(delayMs);
    const options = { maxAttempts: 5, baseMs: 100, maxMs: 300, onRetry };
    const { call, travel } = retrying(new Peer(failure("not-sent")), options);
    for (let n = 0; n < 300; n++) call();
    await travel(1_300, 10);
    const tops = [100, 200, 300, 300];
    for (const [index, top] of tops.entries()) {
      const drawn = delays[index] as number[];
      expect(drawn).toHaveLength(300);
      expect(Math.max(...drawn)).toBeLessThan(top);
      expect(Math.max(...drawn)).toBeGreaterThan(top * 0.9);
      expect(Math.min(...drawn)).toBeLessThan(top * 0.1);
    }
  });

  it("the peer's wish to be left alone is heeded, and cut where it is absurd", async () => {
    const delays: number[] = [];
    const onRetry = ({ delayMs }: Retry): void => void delays.push(delayMs);
    for (const wish of [1_000, 2 ** 53, Number.MAX_VALUE]) {
      const options = { baseMs: 10, maxRetryAfterMs: 5_000, onRetry };
      retrying(new Peer(failure("rejected", "unavailable", wish)), options).call();
      await turn();
    }
    expect(delays.map((delay) => Math.floor(delay / 100) * 100)).toEqual([1_000, 5_000, 5_000]);
  });
});

describe("a caller's items", () => {
  async function* items(): AsyncGenerator<Envelope> {}

  function uploading(reads: boolean, errors: readonly ParleyError[]) {
    let attempts = 0;
    let left = false;
    const peer = new Peer();
    const policy = setting(peer, ({ runtime }: ManualRuntime) => retry({ runtime }));
    const invoke = retry({ runtime: policy.clock.runtime })(async (call) => {
      const error = errors[attempts++];
      const iterator = call.input?.[Symbol.asyncIterator]();
      if (reads) await iterator?.next();
      await iterator?.return?.();
      if (error) throw error;
      return {};
    });
    const input = Object.assign(items(), {
      return: () => {
        left = true;
        return Promise.resolve({ done: true as const, value: undefined });
      },
    });
    const watched = watch(invoke(open(policy.clock, { kind: "client-stream", input, idempotent: true })));
    return { ...policy, watched, attempts: () => attempts, left: () => left };
  }

  it("that nobody has asked for are offered to the next attempt, untouched", async () => {
    const made = uploading(false, [failure("not-sent")]);
    await made.travel(1_000);
    expect([made.attempts(), made.watched.state, made.left()]).toEqual([2, "done", false]);
  });

  it.each([
    ["were read", true, failure("not-sent")],
    ["may have been sent", false, failure("unknown")],
    ["were refused", false, failure("rejected")],
  ] as const)("that %s are not sent again", async (_, reads, error) => {
    const made = uploading(reads, [error]);
    await made.travel(1_000);
    expect([made.attempts(), made.watched.state]).toEqual([1, "failed"]);
  });
});

describe("what failed for good", () => {
  it("says that it was tried again, and is not tried again by the layer above, over a wire either", async () => {
    const { call, travel } = retrying(new Peer(failure("rejected")));
    const { watched } = call();
    await travel(2_000);
    const error = watched.error as ParleyError;
    expect(error.details).toEqual({ retried: true });
    const above = retrying(new Peer(error));
    above.call();
    await above.travel(2_000);
    expect(above.peer.calls).toHaveLength(1);
  });

  it("keeps the details that it had", async () => {
    const error = new ParleyError("unavailable", "x", { details: { zone: "b" } });
    const { call, travel } = retrying(new Peer(error));
    const { watched } = call();
    await travel(2_000);
    expect(watched.error?.details).toEqual({ zone: "b", retried: true });
  });

  it("for want of budget is not tried again", async () => {
    const budget = retryBudget({ ratio: 0, perSecond: 0.1 });
    const { peer, call, travel } = retrying(new Peer(failure("not-sent")), { budget });
    call();
    await travel(2_000);
    expect(peer.calls).toHaveLength(2);
  });
});

it.each([
  [{ maxAttempts: 0 }, /maxAttempts is 0/],
  [{ maxAttempts: 1.5 }, /maxAttempts is 1.5/],
  [{ baseMs: -1 }, /baseMs is -1/],
  [{ maxMs: Number.NaN }, /maxMs is NaN/],
])("options that make no sense are refused: %j", (options, message) => {
  expect(() => retry(options)).toThrow(message);
});

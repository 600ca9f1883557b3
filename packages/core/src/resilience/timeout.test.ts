import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { answer, failure, open, Peer, setting, turn, watch } from "../../test/policies.ts";
import { ParleyError } from "../call/error.ts";
import { type Interceptor, intercept } from "../call/interceptor.ts";
import { deadline } from "./deadline.ts";
import { retry } from "./retry.ts";
import { timeout } from "./timeout.ts";

/** Notes the deadlines of the calls that pass. */
function seeing(seen: (number | undefined)[]): Interceptor {
  return (next) => (call) => {
    seen.push(call.deadline);
    return next(call);
  };
}

const enough = new ParleyError("cancelled", "enough", { outcome: "unknown" });

describe("an attempt", () => {
  it("that takes too long is aborted, and fails with deadline_exceeded, unknown", async () => {
    const { peer, call, clock, travel } = setting(new Peer("hang"), ({ runtime }) =>
      timeout({ timeoutMs: 100, runtime }),
    );
    const { call: made, watched } = call();
    expect(peer.calls[0]?.deadline).toBe(clock.runtime.now() + 100);
    await travel(99);
    expect(watched.state).toBe("pending");
    await travel(20);
    expect(watched.error).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    expect(peer.calls[0]?.aborted).toBe(watched.error);
    expect([made.aborted, clock.runtime.deadlines.size]).toEqual([undefined, 0]);
  });

  it("that does not heed its abort is not waited for, and what it answers late is left", async () => {
    const clock = manualRuntime();
    let left = false;
    const late = Promise.withResolvers<ReturnType<typeof answer>>();
    const output = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          left = true;
          return { done: true as const, value: undefined };
        },
      }),
    };
    const watched = watch(timeout({ timeoutMs: 10, runtime: clock.runtime })(() => late.promise)(open(clock)));
    clock.advance(30);
    await turn();
    expect(watched.state).toBe("failed");
    late.resolve({ output });
    await turn();
    expect(left).toBe(true);
  });

  it("of a call that is cancelled fails for that reason, not for its time", async () => {
    const { call, travel } = setting(new Peer("hang"), ({ runtime }) => timeout({ timeoutMs: 100, runtime }));
    const { call: made, watched } = call();
    made.abort(enough);
    await travel(200);
    expect(watched.error).toBe(enough);
  });

  it("that is answered is not aborted, and leaves nothing behind", async () => {
    const { peer, call, clock, travel } = setting(new Peer("answer"), ({ runtime }) =>
      timeout({ timeoutMs: 100, runtime }),
    );
    const { watched } = call();
    await turn();
    expect([watched.state, clock.timers, clock.runtime.deadlines.size]).toEqual(["done", 0, 0]);
    await travel(500);
    expect(peer.calls[0]?.aborted).toBeUndefined();
  });

  it("of a call whose deadline comes sooner is left alone", () => {
    const { peer, call, clock } = setting(new Peer("hang"), ({ runtime }) => timeout({ timeoutMs: 100, runtime }));
    const { call: made } = call({ deadline: clock.runtime.now() + 50 });
    expect(peer.calls[0]).toBe(made);
  });

  it("at a stream has that time to be accepted; the stream has the call's", async () => {
    const { peer, call, clock, travel } = setting(new Peer("answer"), ({ runtime }) =>
      timeout({ timeoutMs: 100, runtime }),
    );
    const { call: made, watched } = call({ kind: "server-stream" });
    await travel(500);
    expect([watched.state, peer.calls[0]?.deadline, peer.calls[0]?.aborted]).toEqual(["done", undefined, undefined]);
    made.abort(enough);
    expect([peer.calls[0]?.aborted, clock.runtime.deadlines.size]).toEqual([enough, 0]);
  });

  it("has the whole time each, when it is made again", async () => {
    const { peer, call, clock, travel } = setting(new Peer("hang"), ({ runtime }) => {
      const policies = [retry({ baseMs: 0, runtime }), timeout({ timeoutMs: 100, runtime })];
      return (next) => intercept(next, policies);
    });
    const startedAt = clock.runtime.now();
    const { watched } = call({ idempotent: true });
    await travel(400, 8);
    expect(watched.error?.code).toBe("deadline_exceeded");
    expect(peer.calls).toHaveLength(3);
    expect(clock.runtime.now() - startedAt).toBeGreaterThanOrEqual(300);
  });
});

describe("a deadline", () => {
  it("covers all attempts and the waits between them", async () => {
    const { peer, call, clock, travel } = setting(new Peer("hang"), ({ runtime }) => {
      const policies = [
        deadline({ timeoutMs: 250, runtime }),
        retry({ baseMs: 0, runtime }),
        timeout({ timeoutMs: 100, runtime }),
      ];
      return (next) => intercept(next, policies);
    });
    const until = clock.runtime.now() + 250;
    const { watched } = call({ idempotent: true });
    await travel(249, 1);
    expect([watched.state, peer.calls.length]).toEqual(["pending", 3]);
    for (const { deadline: at } of peer.calls) expect(at).toBeLessThanOrEqual(until);
    await travel(16);
    expect(watched.error).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    await travel(1_000);
    expect([peer.calls.length, clock.timers]).toEqual([3, 0]);
  });

  it("that has passed refuses the call before it is sent: not-sent", async () => {
    const { peer, call, clock } = setting(new Peer(), ({ runtime }) => deadline({ marginMs: 10, runtime }));
    const { watched } = call({ deadline: clock.runtime.now() + 10 });
    await turn();
    expect(watched.error).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    expect(peer.calls).toHaveLength(0);
  });

  it("is what is left of the one it comes with, less the margin: A 20 s, B 15 s, C 10 s", () => {
    const clock = manualRuntime();
    const { runtime } = clock;
    const now = runtime.now();
    const seen: (number | undefined)[] = [];
    const layer = (timeoutMs: number) => deadline({ timeoutMs, marginMs: 5, runtime });
    const invoke = intercept(
      (call) => Promise.resolve(answer(call)),
      [layer(20_000), seeing(seen), layer(15_000), seeing(seen), layer(10_000), seeing(seen)],
    );
    void invoke(open(clock));
    expect(seen.map((at) => (at ?? 0) - now)).toEqual([20_000, 15_000, 10_000]);
    seen.length = 0;
    void invoke(open(clock, { deadline: now + 8_000 }));
    expect(seen.map((at) => (at ?? 0) - now)).toEqual([7_995, 7_990, 7_985]);
  });

  it.each([Number.POSITIVE_INFINITY, 2 ** 53, 2 ** 31])(
    "that is absurd (%s ms) is one in 24 days, and fires no sooner",
    async (timeoutMs) => {
      const { peer, call, clock, travel } = setting(new Peer("hang"), ({ runtime }) =>
        deadline({ timeoutMs, runtime }),
      );
      const { watched } = call();
      await travel(60_000, 10_000);
      expect(watched.state).toBe("pending");
      expect(peer.calls[0]?.deadline).toBe(2 ** 31 - 1 + 1_000);
      expect(clock.timers).toBe(1);
    },
  );

  it("of a stream covers its items; of a subscription, the time until it is active", async () => {
    const { peer, call, travel, clock } = setting(new Peer("answer"), ({ runtime }) =>
      deadline({ timeoutMs: 100, runtime }),
    );
    const stream = call({ kind: "server-stream" });
    const subscription = call({ kind: "subscribe" });
    await travel(200);
    expect([stream.watched.state, subscription.watched.state]).toEqual(["done", "done"]);
    expect(peer.calls.map(({ aborted }) => aborted?.code)).toEqual(["deadline_exceeded", undefined]);
    subscription.call.settle();
    expect(clock.runtime.deadlines.size).toBe(0);
  });

  it("of a stream is let go when its reader is done", async () => {
    const { call, clock } = setting(new Peer("answer"), ({ runtime }) => deadline({ timeoutMs: 100, runtime }));
    const { call: made } = call({ kind: "server-stream" });
    await turn();
    expect(clock.runtime.deadlines.size).toBe(1);
    made.settle();
    await turn();
    expect([clock.runtime.deadlines.size, clock.timers]).toEqual([0, 0]);
  });

  it("of a child never outlives its parent's, over 10,000 random chains", () => {
    const clock = manualRuntime();
    const { runtime } = clock;
    const duration = fc.oneof(
      fc.double({ min: 0, max: 1e5, noNaN: true }),
      fc.constantFrom(0, 2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY),
    );
    const layer = fc.record(
      { timeoutMs: duration, marginMs: fc.double({ min: 0, max: 100, noNaN: true }), each: duration },
      { requiredKeys: [] },
    );
    const chains = fc.array(layer, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        chains,
        fc.option(fc.double({ min: -10, max: 1e5, noNaN: true }), { nil: undefined }),
        (chain, own) => {
          const seen: (number | undefined)[] = [];
          const layers = chain.flatMap(({ each, ...options }) => [
            deadline({ ...options, runtime }),
            timeout({ timeoutMs: each ?? 1_000, runtime }),
          ]);
          const invoke = intercept(
            seeing(seen)(() => Promise.reject(failure("not-sent"))),
            layers.flatMap((one) => [seeing(seen), one]),
          );
          const call = open(clock, { deadline: own === undefined ? undefined : runtime.now() + own });
          invoke(call).catch(() => {});
          call.settle();
          let parent = Number.POSITIVE_INFINITY;
          for (const at of seen) {
            expect(at ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(parent);
            parent = at ?? Number.POSITIVE_INFINITY;
          }
          expect(runtime.deadlines.size).toBe(0);
        },
      ),
      { numRuns: 10_000 },
    );
  }, 30_000);
});

it.each([-1, Number.NaN, "5" as unknown as number])("a duration of %s is refused", (timeoutMs) => {
  expect(() => timeout({ timeoutMs })).toThrow(/timeoutMs/);
  expect(() => deadline({ timeoutMs })).toThrow(/timeoutMs/);
});

import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failure, open, Peer, setting, turn, watch } from "../../test/policies.ts";
import { withRemote } from "../../test/remotes.ts";
import { failureOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import { agent } from "../agent/agent.ts";
import { contract } from "../agent/contract.ts";
import { request } from "../agent/operation.ts";
import { ParleyError } from "../call/error.ts";
import type { Interceptor } from "../call/interceptor.ts";
import { breaker } from "./breaker.ts";
import { type Resilience, type ResilienceEvent, type ResilienceOptions, resilience } from "./resilience.ts";

function built(peer: Peer, options: ResilienceOptions) {
  let made: Resilience | undefined;
  const all = setting(peer, ({ runtime }) => {
    made = resilience({ runtime, ...options });
    return made;
  });
  return { ...all, resilience: made as unknown as Resilience };
}

describe("the order of the policies", () => {
  it("a rate limit counts a call once, however many attempts it takes", async () => {
    const { resilience, peer, call, travel } = built(new Peer(failure("not-sent"), failure("not-sent"), "answer"), {
      rateLimit: { perSecond: 1, burst: 1 },
      retry: { maxAttempts: 3 },
    });
    const { watched } = call();
    await travel(1_000);
    expect([watched.state, peer.calls.length, resilience.stats().rateLimit]).toEqual([
      "done",
      3,
      { keys: 1, refused: 0 },
    ]);
  });

  it("a bulkhead holds one place for a call, also while it waits for its next attempt", async () => {
    const { resilience, call, peer } = built(new Peer(failure("not-sent")), {
      bulkhead: { maxConcurrent: 1, maxQueued: 5 },
      retry: {},
    });
    call();
    call();
    await turn();
    expect([resilience.stats().bulkhead, peer.calls.length]).toEqual([{ running: 1, queued: 1, refused: 0 }, 1]);
  });

  it("a breaker sees each attempt, and what it refuses is not tried again", async () => {
    const { resilience, call, peer, travel } = built(new Peer(failure("not-sent")), {
      breaker: { minCalls: 2 },
      retry: { maxAttempts: 10 },
    });
    const { watched } = call();
    await travel(10_000, 100);
    expect([peer.calls.length, watched.error?.message]).toEqual([2, expect.stringContaining("the breaker is open")]);
    expect(resilience.stats()).toMatchObject({ retries: 2, breaker: { state: "open", refused: 1 } });
  });

  it("each attempt has its time; the deadline is one for all of them", async () => {
    const { peer, call, clock, travel } = built(new Peer("hang"), {
      timeoutMs: 100,
      deadlineMs: 250,
      retry: { maxAttempts: 3, baseMs: 0 },
      breaker: {},
    });
    const now = clock.runtime.now();
    const { watched } = call({ idempotent: true });
    await travel(300, 1);
    expect(watched.error?.code).toBe("deadline_exceeded");
    expect(peer.calls.length).toBe(3);
    expect(peer.calls[0]?.deadline).toBe(now + 100);
    expect(peer.calls[2]?.deadline).toBe(now + 250);
  });

  it("hedges and retries take from one budget", async () => {
    const { resilience, call, travel } = built(new Peer("hang"), {
      timeoutMs: 100,
      retry: { maxAttempts: 3, baseMs: 0 },
      hedge: { maxAttempts: 2, delayMs: 20 },
      budget: { ratio: 0, perSecond: 3 },
    });
    call({ idempotent: true });
    await travel(400, 4);
    expect(resilience.stats()).toMatchObject({ retries: 1, hedges: 2, budget: { calls: 1, spent: 3, left: 0 } });
  });

  it("a single call may have all the attempts that it was promised", async () => {
    const { resilience, call, travel } = built(new Peer(failure("unknown")), { retry: { baseMs: 1, maxAttempts: 6 } });
    const { watched } = call({ idempotent: true });
    await travel(500, 4);
    expect([watched.state, resilience.stats().retries]).toEqual(["failed", 5]);
  });

  it("a single call of which nothing is said has one more, and a second one when there are others", async () => {
    const { resilience, call, travel } = built(new Peer(failure("unknown")), { retry: { baseMs: 1 } });
    call({ idempotent: true });
    await travel(500, 4);
    expect(resilience.stats().retries).toBe(1);
    await travel(2_000);
    call({ idempotent: false });
    const { watched } = call({ idempotent: true });
    await travel(500, 4);
    expect([watched.state, resilience.stats().retries]).toEqual(["failed", 3]);
  });

  it("hedges alone tell the budget of their calls", async () => {
    const { resilience, call } = built(new Peer("answer"), { hedge: { delayMs: 20 } });
    call({ idempotent: true });
    await turn();
    expect(resilience.stats().budget?.calls).toBe(1);
  });
});

describe("an operation", () => {
  const options: ResilienceOptions = {
    timeoutMs: 100,
    retry: {},
    breaker: { minCalls: 1_000 },
    operations: {
      "test.slow": { timeoutMs: 1_000 },
      "test.slow.v2": { timeoutMs: 2_000 },
      "test.once": { retry: false, breaker: { minCalls: 1 } },
    },
  };

  it("has policies of its own by type or by name, and the general ones otherwise", () => {
    const { call, clock, peer } = built(new Peer("hang"), options);
    for (const type of ["test.slow.v1", "test.slow.v2", "test.any.v1", "odd"]) call({ attributes: { type } });
    expect(peer.calls.map(({ deadline }) => (deadline ?? 0) - clock.runtime.now())).toEqual([1_000, 2_000, 100, 100]);
  });

  it("can be without one, and shares the state of what it does not name", async () => {
    const { call, peer, resilience, travel } = built(new Peer(failure("not-sent")), options);
    call({ attributes: { type: "test.once.v1" } });
    await travel(1_000);
    expect(peer.calls).toHaveLength(1);
    expect(resilience.stats().breaker).toMatchObject({ state: "closed", calls: 0 });
    call({ attributes: { type: "test.slow.v1" } });
    await turn();
    expect(resilience.stats().breaker).toMatchObject({ calls: 1 });
    const { watched } = call({ attributes: { type: "test.once.v1" } });
    await turn();
    expect(watched.error?.message).toContain("the breaker is open");
  });
});

it("tells what its policies do", async () => {
  const events: ResilienceEvent[] = [];
  const { call, travel } = built(new Peer(failure("not-sent")), {
    retry: { maxAttempts: 3 },
    breaker: { minCalls: 2 },
    onEvent: (event) => events.push(event),
  });
  call();
  await travel(1_000);
  expect(events.map(({ event }) => event)).toEqual(["retry", "breaker", "retry"]);
  expect(events[1]).toEqual({ event: "breaker", from: "closed", to: "open" });
});

it("takes a policy that was made already, which is then shared", async () => {
  const clock = manualRuntime();
  const shared = breaker({ minCalls: 1, runtime: clock.runtime });
  const [one, other] = [1, 2].map(() => resilience({ breaker: shared, runtime: clock.runtime }));
  watch(one?.(new Peer(failure("unknown")).invoke)(open(clock)) as Promise<unknown>);
  await turn();
  expect([shared.state, other?.stats().breaker?.state]).toEqual(["open", "open"]);
});

it("without any policy changes nothing", async () => {
  const { peer, call } = built(new Peer(), {});
  const { call: made } = call();
  expect(peer.calls).toEqual([made]);
});

it("leaves nothing behind on success, and aborts nothing", async () => {
  const { call, clock, peer, travel } = built(new Peer("answer"), {
    timeoutMs: 100,
    deadlineMs: 1_000,
    retry: {},
    breaker: {},
    bulkhead: { maxConcurrent: 10 },
    rateLimit: { perSecond: 100 },
    hedge: { delayMs: 50 },
  });
  for (let n = 0; n < 10; n++) call({ idempotent: true });
  await turn();
  expect([clock.timers, clock.runtime.deadlines.size]).toEqual([0, 0]);
  await travel(5_000, 500);
  expect(peer.calls).toHaveLength(10);
  expect(peer.calls.filter(({ aborted }) => aborted)).toEqual([]);
});

describe.each(["in process", "over memory"] as const)("a typed client, %s,", (way) => {
  it("has its calls made again that may be, and declared so", async () => {
    const idempotent = contract("odd", { read: request({ idempotent: true }), write: request({}) });
    let calls = 0;
    const made = agent(idempotent, { read: () => {}, write: () => {} });
    const failing: Interceptor = (next) => async (call) => {
      if (calls++ % 2 === 0) throw failure("unknown");
      return next(call);
    };
    const use = [resilience({ retry: { baseMs: 1 } }), failing];
    await withRemote(
      way,
      made,
      async (remote) => {
        await remote.read();
        expect(calls).toBe(2);
        expect(await failureOf(remote.write())).toMatchObject({ code: "unavailable", outcome: "unknown" });
        calls = 0;
        await remote.write(undefined, { idempotencyKey: "k" });
        expect(calls).toBe(2);
      },
      { use },
    );
  });

  it("keeps a stream after its attempt's time", async () => {
    const use = [
      resilience({ timeoutMs: 30, deadlineMs: 5_000, retry: {}, breaker: {}, bulkhead: { maxConcurrent: 1 } }),
    ];
    const slow = textHandlers({
      async *tokens({ prompt }) {
        for (const token of prompt.split(" ")) {
          await new Promise((resolve) => setTimeout(resolve, 30));
          yield { token };
        }
      },
    });
    await withRemote(
      way,
      agent(text, slow),
      async (remote) => {
        const tokens: string[] = [];
        for await (const { token } of remote.tokens({ prompt: "a b c" })) tokens.push(token);
        expect(tokens).toEqual(["a", "b", "c"]);
        expect(use[0]?.stats().bulkhead?.running).toBe(0);
        expect(await remote.summarize({ text: "long" })).toEqual({ summary: "lon" });
      },
      { use },
    );
  });

  it("that gives up its calls at random leaves none open", async () => {
    const use = [
      resilience({
        timeoutMs: 1_000,
        deadlineMs: 5_000,
        retry: {},
        breaker: {},
        bulkhead: { maxConcurrent: 50, maxQueued: 1_000 },
      }),
    ];
    const hanging = textHandlers({
      summarize: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    });
    await withRemote(
      way,
      agent(text, hanging),
      async (remote) => {
        const reason = new ParleyError("cancelled", "enough");
        const calls = Array.from({ length: 500 }, () => {
          const controller = new AbortController();
          return { controller, watched: watch(remote.summarize({ text: "x" }, { signal: controller.signal })) };
        });
        for (const [index, { controller }] of calls.entries()) {
          controller.abort(reason);
          if (index % 50 === 0) await turn();
        }
        await turn();
        expect(new Set(calls.map(({ watched }) => watched.error?.code))).toEqual(new Set(["cancelled"]));
        expect(use[0]?.stats().bulkhead).toMatchObject({ running: 0, queued: 0 });
      },
      { use },
    );
  });
});

import { describe, expect, it } from "vitest";
import { failure, open, Peer, setting, turn, watch } from "../../test/policies.ts";
import { ParleyError, ValidationError } from "../call/error.ts";
import type { Interceptor } from "../call/interceptor.ts";
import { createRuntime, systemRuntime } from "../runtime/runtime.ts";
import { type Breaker, type BreakerChange, type BreakerOptions, breaker } from "./breaker.ts";
import { refused } from "./refused.ts";

const ill = failure("unknown");

function breaking(peer: Peer, options: BreakerOptions = {}) {
  const changes: BreakerChange[] = [];
  let made: Breaker | undefined;
  const all = setting(peer, ({ runtime }): Interceptor => {
    made = breaker({ runtime, onChange: (change) => changes.push(change), ...options });
    return made;
  });
  return {
    ...all,
    changes,
    breaker: made as unknown as Breaker,
    async calls(count: number, init = {}): Promise<void> {
      for (let n = 0; n < count; n++) all.call(init);
      await turn();
    },
  };
}

/** Answers so often well and then so often ill. */
function peerWith(good: number, bad: number, then: "answer" | "hang" | ParleyError = "answer"): Peer {
  return new Peer(...Array<"answer">(good).fill("answer"), ...Array<ParleyError>(bad).fill(ill), then);
}

describe("a breaker opens", () => {
  it.each([
    ["at half of twenty", 10, 10, "open"],
    ["not below half", 11, 10, "closed"],
    ["not for nineteen calls, all bad", 0, 19, "closed"],
    ["for twenty, all bad", 0, 20, "open"],
  ] as const)("%s", async (_, good, bad, state) => {
    const { breaker, calls } = breaking(peerWith(good, bad));
    await calls(good + bad);
    expect(breaker.state).toBe(state);
  });

  it("and refuses at once, with the time until it is worth trying; nothing is sent", async () => {
    const { breaker, calls, call, peer, travel } = breaking(peerWith(0, 20));
    await calls(20);
    await travel(1_000);
    const { watched } = call();
    await turn();
    expect(watched.error).toMatchObject({ code: "unavailable", outcome: "not-sent", retryAfterMs: 4_000 });
    expect(peer.calls).toHaveLength(20);
    expect(breaker.stats()).toEqual({ state: "open", calls: 20, bad: 20, refused: 1, opened: 1 });
  });

  it("for slow calls, if asked", async () => {
    const slow = setting(new Peer(), ({ runtime }) => breaker({ runtime, slowMs: 100 }));
    const made = breaker({ runtime: slow.clock.runtime, slowMs: 100 });
    const invoke = made(async () => {
      slow.clock.advance(100);
      return {};
    });
    for (let n = 0; n < 20; n++) await invoke(open(slow.clock));
    expect(made.state).toBe("open");
  });

  it("not for samples that are older than the window, though nothing came meanwhile (I08)", async () => {
    const { breaker, calls, travel } = breaking(peerWith(0, 100));
    await calls(19);
    await travel(100_000, 50_000);
    await calls(2);
    expect([breaker.state, breaker.stats().calls]).toEqual(["closed", 2]);
  });

  it("for the calls of the window only, as it slides", async () => {
    const { breaker, calls, travel } = breaking(peerWith(0, 100));
    await calls(15);
    await travel(8_000, 1_000);
    await calls(4);
    expect(breaker.stats().calls).toBe(19);
    await travel(3_000, 1_000);
    expect(breaker.stats().calls).toBe(4);
    await calls(15);
    expect(breaker.state).toBe("closed");
    await calls(1);
    expect(breaker.state).toBe("open");
  });
});

describe("what the caller is at fault for does not count (I12)", () => {
  it.each([
    ["an invalid message", new ValidationError("no", [])],
    ["what is not there", failure("rejected", "not_found")],
    ["a caller without permission", failure("rejected", "permission_denied")],
    ["a quota", failure("rejected", "resource_exhausted")],
    ["what a policy of this process refused", refused("unavailable", "full", undefined)],
  ])("%s", async (_, error) => {
    const { breaker, calls } = breaking(new Peer(error));
    await calls(100);
    expect(breaker.stats()).toMatchObject({ state: "closed", calls: 0 });
  });

  it("a cancelled call, and one whose own deadline was too short", async () => {
    const { breaker, call, calls, clock, travel } = breaking(new Peer("hang"));
    for (let n = 0; n < 50; n++) call().call.abort(new ParleyError("cancelled", "enough"));
    await calls(50, { deadline: clock.runtime.now() + 10 });
    await travel(100);
    expect(breaker.stats()).toMatchObject({ state: "closed", calls: 0 });
  });

  it("a call that is given up because its own caller was lost", async () => {
    const { breaker, call } = breaking(new Peer("hang"));
    for (let n = 0; n < 50; n++) call().call.abort(failure("unknown", "unavailable"));
    await turn();
    expect(breaker.stats()).toMatchObject({ state: "closed", calls: 0 });
  });

  it("a deadline that the peer noticed first", async () => {
    const { breaker, calls, clock } = breaking(new Peer(failure("rejected", "deadline_exceeded")));
    await calls(50, { deadline: clock.runtime.now() + 5 });
    expect(breaker.stats().calls).toBe(0);
  });

  it("but a deadline does that was longer than a call may be slow", async () => {
    const { breaker, calls, clock, travel } = breaking(new Peer("hang"), { slowMs: 100 });
    await calls(50, { deadline: clock.runtime.now() + 200 });
    await travel(400);
    expect(breaker.state).toBe("open");
  });

  it("and a peer does that is late though there is time", async () => {
    const { breaker, calls, clock } = breaking(new Peer(failure("unknown", "deadline_exceeded")));
    await calls(20, { deadline: clock.runtime.now() + 1_000 });
    expect(breaker.state).toBe("open");
  });
});

describe("half open", () => {
  it("three good probes close it", async () => {
    const { breaker, calls, changes, travel } = breaking(peerWith(0, 20));
    await calls(20);
    await travel(5_000, 1_000);
    await calls(2);
    expect(breaker.state).toBe("half-open");
    await calls(1);
    expect(changes.map(({ to }) => to)).toEqual(["open", "half-open", "closed"]);
    expect(breaker.stats()).toMatchObject({ calls: 0, bad: 0 });
  });

  it("one bad probe opens it again", async () => {
    const { breaker, calls, travel } = breaking(peerWith(0, 21));
    await calls(20);
    await travel(5_000, 1_000);
    await calls(1);
    expect(breaker.stats()).toMatchObject({ state: "open", opened: 2 });
  });

  it("others than the probes are refused at once while those hang, and never parked (I06)", async () => {
    const { breaker, calls, peer, call, travel } = breaking(peerWith(0, 20, "hang"));
    await calls(20);
    await travel(5_000, 1_000);
    await calls(3);
    const others = Array.from({ length: 20_000 }, () => call().watched);
    await turn();
    expect(new Set(others.map(({ state }) => state))).toEqual(new Set(["failed"]));
    expect([peer.calls.length, breaker.state]).toEqual([23, "half-open"]);
  });

  it("probes that hang for as long as it was open count as bad", async () => {
    const { breaker, calls, travel, changes } = breaking(peerWith(0, 20, "hang"));
    await calls(20);
    await travel(5_000, 1_000);
    await calls(3);
    await travel(5_000, 1_000);
    await calls(1);
    expect(breaker.state).toBe("open");
    await travel(5_000, 1_000);
    await calls(1);
    expect(changes.map(({ to }) => to)).toEqual(["open", "half-open", "open", "half-open"]);
  });

  it("a call that began before it opened changes nothing, whatever it comes to (I07)", async () => {
    const { clock, travel } = setting(new Peer(), () => (next) => next);
    const made = breaker({ runtime: clock.runtime });
    const old = [Promise.withResolvers<object>(), Promise.withResolvers<object>()];
    const settles: (() => Promise<object>)[] = [
      ...old.map(
        ({ promise }) =>
          () =>
            promise,
      ),
      ...Array.from({ length: 20 }, () => () => Promise.reject(ill)),
    ];
    const invoke = made(() => (settles.shift() ?? (() => Promise.resolve({})))());
    for (let n = 0; n < 22; n++) watch(invoke(open(clock)));
    await travel(5_000, 1_000);
    watch(invoke(open(clock)));
    await turn();
    expect(made.state).toBe("half-open");
    old[0]?.reject(ill);
    old[1]?.resolve({});
    await turn();
    expect(made.state).toBe("half-open");
    watch(invoke(open(clock)));
    await turn();
    expect(made.state).toBe("half-open");
    watch(invoke(open(clock)));
    await turn();
    expect(made.state).toBe("closed");
    expect(made.stats().calls).toBe(0);
  });

  it("a probe that says nothing gives its place to another", async () => {
    const { breaker, calls, call, travel } = breaking(peerWith(0, 20, "hang"));
    await calls(20);
    await travel(5_000, 1_000);
    for (let n = 0; n < 10; n++) {
      const { call: made, watched } = call();
      made.abort(new ParleyError("cancelled", "enough"));
      await turn();
      expect(watched.error?.code).toBe("cancelled");
    }
    expect(breaker.state).toBe("half-open");
  });
});

it("the wall clock decides nothing, however it steps (I09)", async () => {
  let [now, date] = [1_000, 1_700_000_000_000];
  const runtime = createRuntime({ ...systemRuntime, now: () => now, date: () => date });
  const peer = peerWith(0, 20);
  const made = breaker({ runtime });
  const invoke = made(peer.invoke);
  for (let n = 0; n < 20; n++) watch(invoke(open({ runtime })));
  await turn();
  date -= 3_600_000;
  now += 5_000;
  for (let n = 0; n < 3; n++) watch(invoke(open({ runtime })));
  await turn();
  expect(made.state).toBe("closed");
  date += 7_200_000;
  expect(made.stats().calls).toBe(0);
});

it("one breaker in two lists is shared", async () => {
  const { breaker, calls, clock } = breaking(peerWith(0, 20));
  await calls(20);
  const other = new Peer();
  const watched = watch(breaker(other.invoke)(open(clock)));
  await turn();
  expect([watched.state, other.calls.length]).toEqual(["failed", 0]);
});

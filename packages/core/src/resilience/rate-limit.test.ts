import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { open, Peer, turn, watch } from "../../test/policies.ts";
import { Context } from "../call/context.ts";
import { type RateLimitOptions, rateLimit } from "./rate-limit.ts";

function limited(options: RateLimitOptions) {
  const clock = manualRuntime();
  const peer = new Peer();
  const made = rateLimit({ runtime: clock.runtime, ...options });
  const invoke = made(peer.invoke);
  return {
    clock,
    peer,
    limit: made,
    call: (principal = "a") => watch(invoke(open(clock, { context: new Context({ transport: "test", principal }) }))),
  };
}

describe("a rate limit", () => {
  it("lets a burst through, then one an interval", async () => {
    const { call, peer, clock } = limited({ perSecond: 10, burst: 5 });
    for (let n = 0; n < 20; n++) call();
    expect(peer.calls).toHaveLength(5);
    for (let n = 1; n <= 5; n++) {
      clock.advance(99);
      call();
      expect(peer.calls).toHaveLength(4 + n);
      clock.advance(1);
      call();
      call();
      expect(peer.calls).toHaveLength(5 + n);
    }
  });

  it("says when the next would pass, and that nothing was sent", async () => {
    const { call, clock, peer } = limited({ perSecond: 2, burst: 1 });
    call();
    clock.advance(100);
    const { error } = await new Promise<ReturnType<typeof call>>((resolve) => {
      const refused = call();
      void turn().then(() => resolve(refused));
    });
    expect(error).toMatchObject({ code: "resource_exhausted", outcome: "not-sent", retryAfterMs: 400 });
    clock.advance(400);
    call();
    expect(peer.calls).toHaveLength(2);
  });

  it("gives no more than its rate and a burst, however calls come", () => {
    const { call, peer, clock } = limited({ perSecond: 100, burst: 10 });
    for (let ms = 0; ms < 10_000; ms++) {
      clock.advance(1);
      call();
    }
    expect(peer.calls.length).toBeGreaterThanOrEqual(1_000);
    expect(peer.calls.length).toBeLessThanOrEqual(1_010);
  });

  it("counts each key by itself", () => {
    const { call, peer } = limited({ perSecond: 1, burst: 2, key: ({ context }) => context.peer?.principal ?? "" });
    for (let n = 0; n < 5; n++) for (const name of ["a", "b", "c"]) call(name);
    expect(peer.calls).toHaveLength(6);
  });

  it("remembers a bounded number of keys, of a million (I15)", () => {
    let name = 0;
    const clock = manualRuntime();
    const made = rateLimit({ perSecond: 1, key: () => String(name), maxKeys: 1_000, runtime: clock.runtime });
    const invoke = made(new Peer().invoke);
    const call = open(clock);
    for (; name < 1_000_000; name++) {
      void invoke(call);
      if (name % 10_000 === 0) expect(made.stats().keys).toBeLessThanOrEqual(1_000);
    }
    expect(made.stats()).toEqual({ keys: 1_000, refused: 0 });
  }, 30_000);

  it("forgets the key longest unused first, and not one in use", () => {
    const { call, peer, limit } = limited({
      perSecond: 0.001,
      burst: 1,
      maxKeys: 2,
      key: ({ context }) => context.peer?.principal ?? "",
    });
    call("busy");
    for (const name of ["b", "c", "d"]) {
      call(name);
      call("busy");
    }
    expect(limit.stats().keys).toBe(2);
    // Being refused keeps "busy" in use.
    expect(peer.calls).toHaveLength(4);
  });

  it("forgets keys that were not used for long", () => {
    const { call, clock, limit } = limited({
      perSecond: 10,
      keyTtlMs: 1_000,
      key: ({ context }) => context.peer?.principal ?? "",
    });
    for (let n = 0; n < 100; n++) call(String(n));
    expect(limit.stats().keys).toBe(100);
    clock.advance(5_000);
    for (let n = 0; n < 100; n++) call("late");
    expect(limit.stats().keys).toBeLessThan(3);
  });

  it("of 0 lets nothing through", () => {
    const { call, peer, clock } = limited({ perSecond: 0, burst: 1 });
    call();
    clock.advance(1e9);
    call();
    expect(peer.calls).toHaveLength(0);
  });
});

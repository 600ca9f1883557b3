import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { open, Peer, setting, turn } from "../../test/policies.ts";
import { ParleyError } from "../call/error.ts";
import { type Bulkhead, type BulkheadOptions, bulkhead } from "./bulkhead.ts";

const enough = new ParleyError("cancelled", "enough", { outcome: "unknown" });

function held(peer: Peer, options: BulkheadOptions) {
  let made: Bulkhead | undefined;
  const all = setting(peer, () => {
    made = bulkhead(options);
    return made;
  });
  return { ...all, bulkhead: made as unknown as Bulkhead };
}

describe("a bulkhead", () => {
  it("lets so many through, so many wait, and refuses the rest at once", async () => {
    const { bulkhead, call, peer } = held(new Peer("hang"), { maxConcurrent: 2, maxQueued: 3 });
    const all = Array.from({ length: 7 }, () => call().watched);
    await turn();
    expect(all.map(({ state }) => state)).toEqual([...Array(5).fill("pending"), "failed", "failed"]);
    expect(all[6]?.error).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    expect(peer.calls).toHaveLength(2);
    expect(bulkhead.stats()).toEqual({ running: 2, queued: 3, refused: 2 });
  });

  it("runs those that wait in order, as others end", async () => {
    const { bulkhead, call, peer } = held(new Peer("hang"), { maxConcurrent: 1, maxQueued: 3 });
    const calls = [call(), call(), call()];
    for (const [index, { call: one }] of calls.entries()) {
      expect(peer.calls.map(({ message }) => message.id)).toEqual(
        calls.slice(0, index + 1).map(({ call: { message } }) => message.id),
      );
      one.abort(enough);
      await turn();
    }
    expect(bulkhead.stats()).toEqual({ running: 0, queued: 0, refused: 0 });
  });

  it("lets a call that is aborted while it waits leave at once, and another take its place (I10)", async () => {
    const { bulkhead, call, peer } = held(new Peer("hang"), { maxConcurrent: 1, maxQueued: 1 });
    const [first, waiting] = [call(), call()];
    waiting.call.abort(enough);
    await turn();
    expect(waiting.watched).toMatchObject({ state: "failed", error: { code: "cancelled", outcome: "not-sent" } });
    expect(bulkhead.stats().queued).toBe(0);
    const next = call();
    first.call.abort(enough);
    await turn();
    expect([peer.calls.length, next.watched.state]).toEqual([2, "pending"]);
    expect(peer.calls[1]?.message.id).toBe(next.call.message.id);
  });

  it("never refuses what it has accepted (I11)", async () => {
    const { bulkhead, call, peer } = held(new Peer("hang"), { maxConcurrent: 1, maxQueued: 10 });
    const first = call();
    const waiting = Array.from({ length: 10 }, () => call());
    for (let n = 0; n < 100; n++) call();
    await turn();
    expect(waiting.map(({ watched }) => watched.state)).toEqual(Array(10).fill("pending"));
    for (const { call: one } of [first, ...waiting]) {
      one.abort(enough);
      await turn();
    }
    expect(peer.calls).toHaveLength(11);
    expect(bulkhead.stats()).toMatchObject({ running: 0, queued: 0 });
  });

  it("holds a stream's place until its reader is done with it", async () => {
    const { bulkhead, call, peer } = held(new Peer("answer"), { maxConcurrent: 1 });
    const stream = call({ kind: "server-stream" });
    const waiting = call();
    await turn();
    expect([stream.watched.state, waiting.watched.state, peer.calls.length]).toEqual(["done", "pending", 1]);
    stream.call.settle();
    await turn();
    expect([waiting.watched.state, bulkhead.stats().running]).toEqual(["done", 0]);
  });

  it("frees the place of a stream that is aborted", async () => {
    const { bulkhead, call } = held(new Peer("answer"), { maxConcurrent: 1 });
    const stream = call({ kind: "server-stream" });
    await turn();
    stream.call.abort(enough);
    expect(bulkhead.stats().running).toBe(0);
  });

  it("frees the place of a call whose interceptor throws", async () => {
    const made = bulkhead({ maxConcurrent: 1 });
    const invoke = made(() => {
      throw new Error("not a promise");
    });
    await expect(invoke(open(manualRuntime()))).rejects.toThrow("not a promise");
    expect(made.stats().running).toBe(0);
  });

  it("comes to nothing left after 10,000 calls aborted at random", async () => {
    let seed = 7;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const { bulkhead, call } = held(new Peer("hang"), { maxConcurrent: 5, maxQueued: 20 });
    const live = new Set<ReturnType<typeof call>["call"]>();
    for (let n = 0; n < 10_000; n++) {
      live.add(call().call);
      if (random() < 0.7) {
        const [one] = [...live].slice(Math.floor(random() * live.size));
        if (one) {
          live.delete(one);
          one.abort(enough);
        }
      }
      if (n % 100 === 0) await turn();
      expect(bulkhead.stats().running).toBeLessThanOrEqual(5);
    }
    for (const one of live) one.abort(enough);
    await turn();
    expect(bulkhead.stats()).toMatchObject({ running: 0, queued: 0 });
  });
});

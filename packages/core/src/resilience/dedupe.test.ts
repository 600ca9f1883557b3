import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failure, open, turn, watch } from "../../test/policies.ts";
import { failureOf } from "../../test/settling.ts";
import { Context } from "../call/context.ts";
import { ParleyError } from "../call/error.ts";
import type { Invoke, Reply } from "../call/interceptor.ts";
import { reply } from "../envelope/follow.ts";
import { type DedupeOptions, dedupe } from "./dedupe.ts";
import type { DedupeRecord, DedupeStore } from "./dedupe-store.ts";
import { memoryDedupe } from "./memory-dedupe.ts";

const enough = new ParleyError("cancelled", "enough", { outcome: "unknown" });
const lost = failure("unknown");

/** A handler behind dedupe, which answers with the number of its run. */
function serving(options: DedupeOptions = {}, handle?: Invoke) {
  const clock = manualRuntime();
  const runs: string[] = [];
  const made = dedupe({ runtime: clock.runtime, ...options });
  const invoke = made((call) => {
    runs.push(call.message.id);
    return handle ? handle(call) : Promise.resolve({ message: reply(call.message, "/peer", runs.length) });
  });
  const make = (attributes: object = {}, init: Parameters<typeof open>[1] = {}) => open(clock, { attributes, ...init });
  return {
    clock,
    runs,
    invoke,
    make,
    dedupe: made,
    call: (attributes: object = {}, init = {}) => invoke(make(attributes, init)),
  };
}

/** A handler that waits until it is told. */
function waiting() {
  const gates: PromiseWithResolvers<Reply>[] = [];
  const handle: Invoke = (call) => {
    const gate = Promise.withResolvers<Reply>();
    gates.push(gate);
    call.onAbort({ callAborted: gate.reject });
    return gate.promise;
  };
  return { gates, handle };
}

describe("a request that comes twice", () => {
  it("with the same source and id is handled once, and answered twice alike", async () => {
    const { runs, call } = serving();
    const [first, second] = [await call({ id: "a", data: { x: 1 } }), await call({ id: "a", data: { x: 1 } })];
    expect(runs).toHaveLength(1);
    expect(second.message).toEqual(first.message);
  });

  it("with the same key under another id gets the answer, addressed to that id", async () => {
    const { runs, call } = serving();
    await call({ id: "a", idempotencykey: "k", data: [1] });
    const { message } = await call({ id: "b", source: "/elsewhere", idempotencykey: "k", data: [1] });
    expect([runs.length, message?.id, message?.data]).toEqual([1, "b.r", 1]);
  });

  it("at the same time shares one run and one reply", async () => {
    const { gates, handle } = waiting();
    const { runs, call, dedupe } = serving({}, handle);
    const all = Array.from({ length: 100 }, () => call({ id: "a" }));
    await turn();
    expect([runs.length, dedupe.stats()]).toEqual([1, { running: 1, shared: 99, replayed: 0, conflicts: 0 }]);
    gates[0]?.resolve({ message: reply({ id: "a", type: "t" }, "/peer", "once") });
    expect(new Set((await Promise.all(all)).map(({ message }) => message?.data))).toEqual(new Set(["once"]));
    expect(dedupe.stats().running).toBe(0);
  });

  it.each([
    ["other data", { data: { a: 2 } }],
    ["no data", {}],
    ["another type", { data: { a: 1, b: [2] }, type: "test.other.v1" }],
  ])("with the same key and %s is refused with already_exists (J06)", async (_, other) => {
    const { runs, call } = serving();
    await call({ idempotencykey: "k", data: { a: 1, b: [2] } });
    expect(await failureOf(call({ idempotencykey: "k", ...other }))).toMatchObject({
      code: "already_exists",
      outcome: "rejected",
    });
    expect(runs).toHaveLength(1);
  });

  it("with keys of its data in another order is the same", async () => {
    const { runs, call } = serving();
    await call({ idempotencykey: "k", data: { a: 1, b: { c: [1, 2], d: null } } });
    await call({ idempotencykey: "k", data: { b: { d: null, c: [1, 2] }, a: 1 } });
    expect(runs).toHaveLength(1);
  });

  it("as a notification is accepted twice and handled once", async () => {
    const { runs, call } = serving({}, async () => ({}));
    expect([await call({ id: "a" }, { kind: "notify" }), await call({ id: "a" }, { kind: "notify" })]).toEqual([
      {},
      {},
    ]);
    expect(runs).toHaveLength(1);
  });

  it("from another principal is another request", async () => {
    const { runs, call } = serving();
    for (const principal of ["ann", "bob", undefined]) {
      await call({ idempotencykey: "k" }, { context: new Context({ transport: "test", principal }) });
    }
    expect(runs).toHaveLength(3);
  });

  it("without an id of its own is handled twice", async () => {
    const { runs, call } = serving();
    for (let n = 0; n < 2; n++) await call({ id: "a" }, { context: new Context(undefined, true) });
    expect(runs).toHaveLength(2);
  });

  it("as a stream is not looked at", async () => {
    const { runs, call } = serving({}, async () => ({}));
    for (let n = 0; n < 2; n++) await call({ id: "a" }, { kind: "server-stream" });
    expect(runs).toHaveLength(2);
  });
});

describe("a run that fails", () => {
  it("for good is answered with the same error", async () => {
    const error = new ParleyError("failed_precondition", "no", { details: { why: 1 } });
    const { runs, call } = serving({}, () => Promise.reject(error));
    const [first, second] = [await failureOf(call({ id: "a" })), await failureOf(call({ id: "a" }))];
    expect(first).toBe(error);
    expect(second).toMatchObject({ code: "failed_precondition", message: "no", details: { why: 1 } });
    expect(runs).toHaveLength(1);
  });

  it("with a retryable code had no effect, and is made again", async () => {
    const { runs, call } = serving({}, () => Promise.reject(failure("rejected")));
    for (let n = 0; n < 2; n++) await failureOf(call({ id: "a" }));
    expect(runs).toHaveLength(2);
  });
});

describe("a caller that leaves", () => {
  it("takes none of the others with it", async () => {
    const { gates, handle } = waiting();
    const { make, invoke } = serving({}, handle);
    const first = make({ id: "a" });
    const [left, stays] = [watch(invoke(first)), watch(invoke(make({ id: "a" })))];
    await turn();
    first.abort(enough);
    await turn();
    expect([left.state, stays.state]).toEqual(["failed", "pending"]);
    gates[0]?.resolve({});
    await turn();
    expect(stays.state).toBe("done");
  });

  it("by cancelling ends the run; whoever comes then is told that nobody knows", async () => {
    const { handle } = waiting();
    const { make, invoke, call, runs } = serving({}, handle);
    const first = make({ id: "a" });
    watch(invoke(first));
    await turn();
    first.abort(enough);
    await turn();
    expect(await failureOf(call({ id: "a" }))).toMatchObject({ code: "aborted", outcome: "unknown" });
    expect(runs).toHaveLength(1);
  });

  it("by cancelling lets what is idempotent run again", async () => {
    const { handle } = waiting();
    const { make, invoke, runs } = serving({ idempotent: () => true }, handle);
    const first = make({ id: "a" });
    watch(invoke(first));
    await turn();
    first.abort(enough);
    await turn();
    watch(invoke(make({ id: "a" })));
    await turn();
    expect(runs).toHaveLength(2);
  });

  it("because it was lost finds the run, or its answer, when it calls again: executed once (I02)", async () => {
    const { gates, handle } = waiting();
    const { make, invoke, runs, clock } = serving({}, handle);
    const first = make({ id: "a" });
    watch(invoke(first));
    await turn();
    first.abort(lost);
    await turn();
    clock.advance(4_000);
    const again = invoke(make({ id: "a" }));
    await turn();
    clock.advance(4_000);
    gates[0]?.resolve({ message: reply({ id: "a", type: "t" }, "/peer", "once") });
    expect((await again).message?.data).toBe("once");
    expect((await invoke(make({ id: "a" }))).message?.data).toBe("once");
    expect([runs.length, clock.timers]).toEqual([1, 0]);
  });

  it("because it was lost, and does not come back in time, ends the run", async () => {
    const { handle } = waiting();
    const { make, invoke, dedupe, clock } = serving({}, handle);
    const first = make({ id: "a" });
    watch(invoke(first));
    await turn();
    first.abort(lost);
    clock.advance(6_000);
    await turn();
    expect([dedupe.stats().running, clock.timers]).toEqual([0, 0]);
  });
});

describe("what is remembered (J07)", () => {
  it("is forgotten after the window, and then handled again", async () => {
    const { runs, call, clock } = serving({ windowMs: 1_000 });
    await call({ id: "a" });
    clock.advance(999);
    await call({ id: "a" });
    expect(runs).toHaveLength(1);
    clock.advance(1);
    await call({ id: "a" });
    expect(runs).toHaveLength(2);
  });

  it("is the last of so many", async () => {
    const { runs, call } = serving({ maxEntries: 10 });
    for (let n = 0; n < 11; n++) await call({ id: String(n) });
    await call({ id: "1" });
    expect(runs).toHaveLength(11);
    await call({ id: "0" });
    expect(runs).toHaveLength(12);
  });

  it("of answers is bounded in bytes; a duplicate of one that went is told so, and not handled again", async () => {
    const clock = manualRuntime();
    const store = memoryDedupe({ maxResultBytes: 10_000, runtime: clock.runtime });
    const { runs, call } = serving({ store }, async ({ message }) => ({
      message: reply(message, "/peer", "x".repeat(1_000)),
    }));
    for (let n = 0; n < 100; n++) await call({ id: String(n) });
    expect(store.stats().entries).toBe(100);
    expect(store.stats().resultBytes).toBeLessThanOrEqual(10_000);
    expect(await failureOf(call({ id: "0" }))).toMatchObject({ code: "aborted", outcome: "unknown" });
    expect((await call({ id: "99" })).message?.data).toHaveLength(1_000);
    expect(runs).toHaveLength(100);
  });

  it("is known to be complete as far back as nothing was pushed out", () => {
    const clock = manualRuntime();
    const store = memoryDedupe({ maxEntries: 2, windowMs: 1_000, runtime: clock.runtime });
    clock.advance(5_000);
    expect(store.stats().completeForMs).toBe(1_000);
    for (const key of ["a", "b", "c"]) {
      store.claim(key, 1);
      clock.advance(100);
    }
    expect(store.stats()).toEqual({ entries: 2, resultBytes: 0, completeForMs: 300 });
  });
});

describe("a call that says how long ago it was first sent, and is not known", () => {
  const again = { idempotencykey: "k", attempt: 2 };

  it("is refused when it may have run in an earlier life, and not kept as running", async () => {
    const { runs, call, clock } = serving();
    clock.advance(5_000);
    for (const agems of [4_500, 5_000, 60_000]) {
      expect(await failureOf(call({ ...again, agems }))).toMatchObject({ code: "aborted", outcome: "unknown" });
    }
    expect(runs).toEqual([]);
    await call({ ...again, agems: 3_900 });
    expect(runs).toHaveLength(1);
  });

  it("is refused when it may have been pushed out, or be older than the window", async () => {
    const { runs, call, clock } = serving({ maxEntries: 2, windowMs: 60_000, marginMs: 100 });
    clock.advance(10_000);
    for (const idempotencykey of ["a", "b", "c"]) {
      await call({ idempotencykey });
      clock.advance(1_000);
    }
    expect(await failureOf(call({ ...again, idempotencykey: "a", agems: 3_000 }))).toMatchObject({ code: "aborted" });
    clock.advance(100_000);
    expect(await failureOf(call({ ...again, agems: 60_000 }))).toMatchObject({ code: "aborted" });
    expect(runs).toHaveLength(3);
  });

  it("runs if its effect may be had twice, and with a store that forgets nothing", async () => {
    const idempotent = serving({ idempotent: () => true });
    await idempotent.call({ ...again, agems: 5_000 });
    const { runtime } = manualRuntime();
    const memory = memoryDedupe({ runtime });
    const store: DedupeStore = {
      claim: (key, fingerprint) => memory.claim(key, fingerprint),
      settle: (key, result, bytes) => memory.settle(key, result, bytes),
      release: (key) => memory.release(key),
    };
    const lasting = serving({ store });
    await lasting.call({ ...again, agems: 5_000 });
    expect([idempotent.runs.length, lasting.runs.length]).toEqual([1, 1]);
  });
});

describe("a store of one's own", () => {
  it("may answer by promises, and decides between processes", async () => {
    const records = new Map<string, DedupeRecord>();
    const store: DedupeStore = {
      claim: async (key, fingerprint) => {
        const known = records.get(key);
        if (!known) records.set(key, { fingerprint });
        return known;
      },
      settle: async (key, result) => void records.set(key, { fingerprint: records.get(key)?.fingerprint ?? 0, result }),
      release: async (key) => void records.delete(key),
    };
    const { gates, handle } = waiting();
    const [here, there] = [serving({ store }, handle), serving({ store })];
    const first = here.call({ id: "a" });
    await turn();
    expect(await failureOf(there.call({ id: "a" }))).toMatchObject({ code: "aborted", outcome: "unknown" });
    gates[0]?.resolve({ message: reply({ id: "a", type: "t" }, "/peer", "once") });
    await first;
    await turn();
    expect((await there.call({ id: "a" })).message?.data).toBe("once");
    expect(there.runs).toHaveLength(0);
  });

  it("that fails to keep an answer never has a call handled twice", async () => {
    const store: DedupeStore = {
      claim: (() => {
        const keys = new Set<string>();
        return (key: string, fingerprint: number) => {
          if (keys.has(key)) return { fingerprint };
          keys.add(key);
          return undefined;
        };
      })(),
      settle: () => Promise.reject(new Error("disk full")),
      release: () => {},
    };
    const { runs, call, dedupe } = serving({ store });
    await call({ id: "a" });
    await turn();
    expect(await failureOf(call({ id: "a" }))).toMatchObject({ code: "aborted", outcome: "unknown" });
    expect([runs.length, dedupe.stats().running]).toEqual([1, 0]);
  });
});

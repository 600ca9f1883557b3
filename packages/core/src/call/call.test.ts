import { afterEach, describe, expect, it, vi } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { createEnvelope } from "../envelope/create.ts";
import { type AbortListener, type CallInit, createAttempt, createCall, derive } from "./call.ts";
import { Context, contextKey } from "./context.ts";
import { ParleyError } from "./error.ts";

const message = createEnvelope({ kind: "request", type: "test.any.v1", source: "/test" });
const reason = new ParleyError("cancelled", "enough");

function open(init: Partial<CallInit> = {}) {
  const clock = manualRuntime();
  return { ...clock, call: createCall({ kind: "request", message, ...init }, clock.runtime) };
}

/** Notes what it is told. */
function noting(): AbortListener & { readonly told: ParleyError[] } {
  const told: ParleyError[] = [];
  return { told, callAborted: (why) => void told.push(why) };
}

afterEach(() => vi.unstubAllGlobals());

describe("a call", () => {
  it("is aborted once: the first reason counts, each listener is told once", () => {
    const { call } = open();
    const listeners = [noting(), noting(), noting()];
    for (const listener of listeners) call.onAbort(listener);
    expect(call.aborted).toBeUndefined();
    call.abort(reason);
    call.abort(new ParleyError("internal", "too late"));
    expect(call.aborted).toBe(reason);
    expect(call.signal.reason).toBe(reason);
    for (const { told } of listeners) expect(told).toEqual([reason]);
  });

  it("tells a listener that comes after its abort at once, and one that was taken back never", () => {
    const { call } = open();
    const [kept, gone, only, late] = [noting(), noting(), noting(), noting()];
    call.onAbort(only);
    call.offAbort(only);
    call.onAbort(kept);
    call.onAbort(gone);
    call.offAbort(gone);
    call.abort(reason);
    call.onAbort(late);
    expect([kept, gone, only, late].map(({ told }) => told.length)).toEqual([1, 0, 0, 1]);
  });

  it("tells a listener once, however often it was added", () => {
    const { call } = open();
    const listener = noting();
    call.onAbort(listener);
    call.onAbort(listener);
    call.abort(reason);
    expect(listener.told).toEqual([reason]);
  });

  it("that is settled is not aborted any more", () => {
    const { call } = open();
    const [before, after] = [noting(), noting()];
    call.onAbort(before);
    const { signal } = call;
    call.settle();
    call.settle();
    call.abort(reason);
    call.onAbort(after);
    expect([call.aborted, signal.aborted, before.told, after.told]).toEqual([undefined, false, [], []]);
  });

  it("makes a signal when one is read, and no sooner", () => {
    let made = 0;
    class Counted extends AbortController {
      constructor() {
        super();
        made++;
      }
    }
    vi.stubGlobal("AbortController", Counted);
    const { call } = open();
    call.onAbort(noting());
    call.abort(reason);
    call.settle();
    void call.aborted;
    expect(made).toBe(0);
    expect(call.signal).toBe(call.signal);
    expect([made, call.signal.aborted, call.signal.reason]).toEqual([1, true, reason]);
  });

  it("aborts the signal that was read before", () => {
    const { call } = open();
    const { signal } = call;
    const listener = vi.fn();
    signal.addEventListener("abort", listener);
    call.abort(reason);
    expect(listener).toHaveBeenCalledOnce();
    expect(signal.reason).toBe(reason);
  });

  it("is aborted after its deadline, with outcome unknown", () => {
    const { runtime, advance } = manualRuntime();
    const deadline = runtime.now() + 100;
    const call = createCall({ kind: "request", message, deadline }, runtime);
    advance(99);
    expect(call.aborted).toBeUndefined();
    advance(20);
    expect(call.aborted).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    expect(runtime.deadlines.size).toBe(0);
  });

  it("leaves no deadline behind when it is settled or aborted", () => {
    const { runtime, advance, ...clock } = manualRuntime();
    void clock;
    const calls = [1, 2].map(() => createCall({ kind: "request", message, deadline: runtime.now() + 50 }, runtime));
    expect(runtime.deadlines.size).toBe(2);
    calls[0]?.settle();
    calls[1]?.abort(reason);
    expect(runtime.deadlines.size).toBe(0);
    advance(1_000);
    expect(calls.map(({ aborted }) => aborted)).toEqual([undefined, reason]);
  });

  it("without a deadline starts no timer", () => {
    expect(open().timers).toBe(0);
  });

  it("has a context of its own, or the one it was given", () => {
    const key = contextKey<number>("test");
    const { call } = open();
    call.context.set(key, 1);
    expect([call.context.get(key), open().call.context.get(key)]).toEqual([1, undefined]);
    const context = new Context();
    expect(open({ context }).call.context).toBe(context);
  });
});

describe("a call with a parent", () => {
  it("is aborted with it, for its reason", () => {
    const parent = open().call;
    const child = open({ parent }).call;
    const grandchild = open({ parent: child }).call;
    parent.abort(reason);
    expect([child.aborted, grandchild.aborted]).toEqual([reason, reason]);
  });

  it("is aborted from the start when its parent was", () => {
    const parent = open().call;
    parent.abort(reason);
    expect(open({ parent }).call.aborted).toBe(reason);
  });

  it("does not abort it", () => {
    const parent = open().call;
    open({ parent }).call.abort(reason);
    expect(parent.aborted).toBeUndefined();
  });

  it("lets go of it when it is over", () => {
    const parent = open().call;
    const removed = vi.spyOn(parent, "offAbort");
    const child = open({ parent }).call;
    child.settle();
    expect(removed).toHaveBeenCalledExactlyOnceWith(child);
    parent.abort(reason);
    expect(child.aborted).toBeUndefined();
  });
});

describe("an attempt at a call", () => {
  it("has what the call has but what is changed, and shares its context", () => {
    const { call } = open({ deadline: 5_000, idempotent: true });
    const attempt = createAttempt(call, { deadline: 2_000 });
    expect(attempt).toMatchObject({ kind: "request", message, deadline: 2_000, idempotent: true });
    expect(attempt.context).toBe(call.context);
    expect(createAttempt(call, {}).deadline).toBe(5_000);
    call.settle();
  });

  it("is aborted with the call, and can be given up without it", () => {
    const { call } = open();
    const [one, other] = [createAttempt(call, {}), createAttempt(call, {})];
    one.abort(reason);
    expect([one.aborted, other.aborted, call.aborted]).toEqual([reason, undefined, undefined]);
    const later = new ParleyError("cancelled", "later");
    call.abort(later);
    expect([one.aborted, other.aborted]).toEqual([reason, later]);
  });

  it("is over when the call is, unlike a call that is made during it", () => {
    const { call } = open();
    const [attempt, child] = [createAttempt(call, {}), open({ parent: call }).call];
    const told: string[] = [];
    const listener = (name: string) => ({
      callAborted: () => told.push(`${name} aborted`),
      callSettled: () => told.push(`${name} settled`),
    });
    attempt.onAbort(listener("attempt"));
    child.onAbort(listener("child"));
    call.settle();
    expect(told).toEqual(["attempt settled"]);
    child.abort(reason);
    expect(told).toEqual(["attempt settled", "child aborted"]);
  });

  it("leaves its deadline to be watched by whoever set it", () => {
    const { runtime, call } = open({ deadline: 5_000 });
    const watched = runtime.deadlines.size;
    createAttempt(call, { deadline: 2_000 }, runtime);
    expect(runtime.deadlines.size).toBe(watched);
    call.settle();
  });
});

describe("a listener", () => {
  it("is told that a call was settled, once, also when it comes late; never after an abort", () => {
    const told: string[] = [];
    const listener = { callAborted: () => told.push("aborted"), callSettled: () => told.push("settled") };
    const { call } = open();
    call.onAbort(listener);
    call.onAbort(noting());
    call.settle();
    call.settle();
    call.onAbort(listener);
    expect(told).toEqual(["settled", "settled"]);
    const { call: other } = open();
    other.onAbort(listener);
    other.abort(reason);
    other.settle();
    expect(told).toEqual(["settled", "settled", "aborted"]);
  });
});

describe("a derived call", () => {
  it("has another message, input or deadline, and the rest in common", () => {
    const { call } = open({ deadline: 5_000 });
    const other = { ...message, id: "other" };
    const input = (async function* () {})();
    const derived = derive(call, { message: other, input, deadline: 2_000 });
    expect(derived).toMatchObject({ kind: "request", message: other, input, deadline: 2_000 });
    expect(derived.context).toBe(call.context);
    expect(derived.signal).toBe(call.signal);
    expect(derive(call, {})).toMatchObject({ kind: "request", message, deadline: 5_000 });
    expect(derive(call, { deadline: undefined }).deadline).toBeUndefined();
    call.settle();
  });

  it("is aborted with the one it comes from, however far", () => {
    const { call } = open();
    const derived = derive(derive(call, {}), {});
    const [kept, gone] = [noting(), noting()];
    derived.onAbort(kept);
    derived.onAbort(gone);
    derived.offAbort(gone);
    call.abort(reason);
    expect([derived.aborted, derived.signal.reason]).toEqual([reason, reason]);
    expect([kept.told, gone.told]).toEqual([[reason], []]);
  });
});

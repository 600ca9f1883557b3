import { type Call, type CallInit, createCall, type OwnedCall } from "../src/call/call.ts";
import { ParleyError } from "../src/call/error.ts";
import type { Interceptor, Invoke, Reply } from "../src/call/interceptor.ts";
import { createEnvelope } from "../src/envelope/create.ts";
import type { CallKind, Envelope } from "../src/envelope/envelope.ts";
import { reply } from "../src/envelope/follow.ts";
import { type ManualRuntime, manualRuntime } from "./manual-runtime.ts";

/** Lets everything happen that needs no clock. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A call as a client makes it. */
export function open(
  { runtime }: Pick<ManualRuntime, "runtime">,
  { kind = "request", attributes = {}, ...init }: Partial<CallInit> & { readonly attributes?: object } = {},
): OwnedCall {
  const message = createEnvelope({ kind, type: "test.any.v1", source: "/test", ...attributes }, runtime);
  return createCall({ kind, message, ...init }, runtime);
}

/** An error of a way to a peer. */
export function failure(
  outcome: ParleyError["outcome"],
  code: ParleyError["code"] = "unavailable",
  retryAfterMs?: number,
): ParleyError {
  return new ParleyError(code, `${code}, ${outcome}`, { outcome, retryAfterMs });
}

/** Answers the call with data, by a stream if that is its kind. */
export function answer({ kind, message }: Pick<Call, "kind" | "message">, data: unknown = "ok"): Reply {
  if (streams.has(kind)) return { output: endless() };
  return { message: reply(message, "/peer", data) };
}

const streams: ReadonlySet<CallKind> = new Set<CallKind>(["server-stream", "bidi-stream", "subscribe"]);

async function* endless(): AsyncGenerator<Envelope> {
  for (let seq = 1; ; seq++) yield createEnvelope({ kind: "item", type: "test.any.v1", source: "/peer", seq });
}

/** A peer that does as it is told, or hangs until a call is aborted, and notes the calls it gets. */
export class Peer {
  readonly calls: Call[] = [];
  readonly #script: (ParleyError | "answer" | "hang")[];

  /** What each call comes to, in turn; the last holds for all that follow. */
  constructor(...script: (ParleyError | "answer" | "hang")[]) {
    this.#script = script;
  }

  readonly invoke: Invoke = (call) => {
    const step = this.#script[Math.min(this.calls.length, this.#script.length - 1)] ?? "answer";
    this.calls.push(call);
    if (step === "answer") return Promise.resolve(answer(call));
    if (step !== "hang") return Promise.reject(step);
    return new Promise((_, reject) => call.onAbort({ callAborted: reject }));
  };
}

/** How a promise stands. */
export interface Watched {
  state: "pending" | "done" | "failed";
  error?: ParleyError;
}

/** Looks on at a promise. */
export function watch(promise: Promise<unknown>): Watched {
  const watched: Watched = { state: "pending" };
  promise.then(
    () => {
      watched.state = "done";
    },
    (error: ParleyError) => {
      watched.state = "failed";
      watched.error = error;
    },
  );
  return watched;
}

/** What a test of a policy works with. */
export interface Setting {
  readonly clock: ManualRuntime;
  readonly peer: Peer;
  readonly invoke: Invoke;
  /** Makes a call and looks on. */
  call(init?: Parameters<typeof open>[1]): { readonly call: OwnedCall; readonly watched: Watched };
  /** Moves the clock in steps, letting promises settle between them. */
  travel(ms: number, step?: number): Promise<void>;
}

/** A policy over a peer, with the clock that both run on. */
export function setting(peer: Peer, policy: (clock: ManualRuntime) => Interceptor): Setting {
  const clock = manualRuntime();
  const invoke = policy(clock)(peer.invoke);
  return {
    clock,
    peer,
    invoke,
    call(init: Parameters<typeof open>[1] = {}) {
      const call = open(clock, init);
      return { call, watched: watch(invoke(call)) };
    },
    async travel(ms: number, step = Math.max(1, ms / 20)): Promise<void> {
      await turn();
      for (let left = ms; left > 1e-9; left -= step) {
        clock.advance(Math.min(step, left));
        await turn();
      }
    },
  };
}

import type { CallKind, Envelope } from "../envelope/envelope.ts";
import type { WatchedDeadline } from "../runtime/deadlines.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { Context } from "./context.ts";
import { type ParleyError, TransportError } from "./error.ts";

/** Told once, synchronously, when the call it listens to is aborted. */
export interface AbortListener {
  callAborted(reason: ParleyError): void;
}

/** One interaction, seen the same way from both ends: a client makes it, a handler receives it. */
export interface Call {
  readonly kind: CallKind;
  /** Opens the call. Its attributes carry the operation, ids, trace and time left: there is no second header. */
  readonly message: Envelope;
  /** What the caller sends after it; client-stream and bidi-stream only. */
  readonly input?: AsyncIterable<Envelope> | undefined;
  /** Instant on the runtime's monotonic clock, ms. It decides; `timeoutms` is written from it at each hop and never read by handlers. */
  readonly deadline: number | undefined;
  /** Who calls, and what interceptors tell each other. Never sent. */
  readonly context: Context;
  /** Why the call was given up (cancelled, past its deadline, peer lost), once it was. Reading it creates nothing. */
  readonly aborted: ParleyError | undefined;
  /** For core and transports: costs no signal and no closure. Called at once if the call is aborted already. */
  onAbort(listener: AbortListener): void;
  /** Takes back {@link onAbort}. */
  offAbort(listener: AbortListener): void;
  /** For users; made when first read. Its reason is the ParleyError. */
  readonly signal: AbortSignal;
}

/** What a call is made from. */
export interface CallInit {
  readonly kind: CallKind;
  readonly message: Envelope;
  readonly input?: AsyncIterable<Envelope> | undefined;
  readonly deadline?: number | undefined;
  /** @default a new context */
  readonly context?: Context | undefined;
  /** Aborting it aborts this call. */
  readonly parent?: Call | undefined;
}

/** A call in the hands of whoever made it. */
export interface OwnedCall extends Call {
  /** Gives the call up. The first reason counts; none does after {@link settle}. */
  abort(reason: ParleyError): void;
  /** The call is over: its deadline is no longer watched and nothing aborts it any more. May be called twice. */
  settle(): void;
}

/** Makes a call. Whoever makes it must {@link OwnedCall.settle | settle} it: until then its deadline is watched. */
export function createCall(init: CallInit, runtime: Runtime = systemRuntime): OwnedCall {
  return new RootCall(init, runtime);
}

/** What can be different in a call on its way. */
export interface CallChange {
  readonly message?: Envelope;
  readonly input?: AsyncIterable<Envelope>;
  readonly deadline?: number | undefined;
}

/** The same call with another message, input or deadline, sharing abort and context. (`{ ...call }` would lose its signal.) */
export function derive(call: Call, change: CallChange): Call {
  return new DerivedCall(call, change);
}

class RootCall implements OwnedCall {
  readonly kind: CallKind;
  readonly message: Envelope;
  readonly input: AsyncIterable<Envelope> | undefined;
  readonly deadline: number | undefined;
  readonly #runtime: Runtime;
  readonly #parent: Call | undefined;
  #context: Context | undefined;
  #aborted: ParleyError | undefined;
  #settled = false;
  #watched: WatchedDeadline | undefined;
  #listeners: AbortListener | Set<AbortListener> | undefined;
  #controller: AbortController | undefined;

  constructor(init: CallInit, runtime: Runtime) {
    this.kind = init.kind;
    this.message = init.message;
    this.input = init.input;
    this.deadline = init.deadline;
    this.#context = init.context;
    this.#runtime = runtime;
    this.#parent = init.parent;
    if (init.deadline !== undefined) this.#watched = runtime.deadlines.add(init.deadline, this);
    init.parent?.onAbort(this);
  }

  get context(): Context {
    this.#context ??= new Context();
    return this.#context;
  }

  get aborted(): ParleyError | undefined {
    return this.#aborted;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  abort(reason: ParleyError): void {
    if (this.#settled || this.#aborted) return;
    this.#aborted = reason;
    this.settle();
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners instanceof Set) for (const listener of listeners) listener.callAborted(reason);
    else listeners?.callAborted(reason);
    this.#controller?.abort(reason);
  }

  settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.#watched) this.#runtime.deadlines.remove(this.#watched);
    this.#parent?.offAbort(this);
  }

  onAbort(listener: AbortListener): void {
    if (this.#aborted) listener.callAborted(this.#aborted);
    else if (this.#settled) return;
    else if (this.#listeners === undefined) this.#listeners = listener;
    else if (this.#listeners instanceof Set) this.#listeners.add(listener);
    else this.#listeners = new Set([this.#listeners, listener]);
  }

  offAbort(listener: AbortListener): void {
    if (this.#listeners === listener) this.#listeners = undefined;
    else if (this.#listeners instanceof Set) this.#listeners.delete(listener);
  }

  /** The parent was aborted. */
  callAborted(reason: ParleyError): void {
    this.abort(reason);
  }

  /** The deadline has passed. What the peer did by then is unknown, whoever of the two noticed first. */
  onDeadline(): void {
    this.abort(
      new TransportError("deadline_exceeded", "the deadline passed before the call was done", { outcome: "unknown" }),
    );
  }
}

class DerivedCall implements Call {
  readonly kind: CallKind;
  readonly message: Envelope;
  readonly input: AsyncIterable<Envelope> | undefined;
  readonly deadline: number | undefined;
  readonly #from: Call;

  constructor(from: Call, change: CallChange) {
    this.kind = from.kind;
    this.message = change.message ?? from.message;
    this.input = change.input ?? from.input;
    this.deadline = "deadline" in change ? change.deadline : from.deadline;
    this.#from = from;
  }

  get context(): Context {
    return this.#from.context;
  }

  get aborted(): ParleyError | undefined {
    return this.#from.aborted;
  }

  get signal(): AbortSignal {
    return this.#from.signal;
  }

  onAbort(listener: AbortListener): void {
    this.#from.onAbort(listener);
  }

  offAbort(listener: AbortListener): void {
    this.#from.offAbort(listener);
  }
}

import type { CallKind, Envelope } from "../envelope/envelope.ts";
import type { WatchedDeadline } from "../runtime/deadlines.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { Context } from "./context.ts";
import { type ParleyError, TransportError } from "./error.ts";

/** Told once, synchronously, when the call it listens to is over. */
export interface AbortListener {
  callAborted(reason: ParleyError): void;
  /** The call was settled without having been aborted. */
  callSettled?(): void;
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
  /** Its operation is declared idempotent: its effect may be had twice. Never sent; `idempotencykey` is what travels. */
  readonly idempotent?: boolean | undefined;
  /** Why the call was given up (cancelled, past its deadline, peer lost), once it was. Reading it creates nothing. */
  readonly aborted: ParleyError | undefined;
  /** For core and transports: costs no signal and no closure. Told at once if the call is over already. */
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
  /** @default false */
  readonly idempotent?: boolean | undefined;
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

/**
 * A call within a call: what one attempt at it is made of. It can be given up by itself, is aborted and settled with the call, and shares its
 * context. Its deadline is what the peer is told; whoever sets one that differs from the call's own watches it.
 */
export function createAttempt(call: Call, change: CallChange, runtime: Runtime = systemRuntime): OwnedCall {
  const { kind, idempotent } = call;
  const deadline = "deadline" in change ? change.deadline : call.deadline;
  const { message = call.message, input = call.input } = change;
  return new RootCall({ kind, message, input, deadline, idempotent, parent: call }, runtime, FOREVER);
}

/** How long an attempt may take, and what its peer is told of that. */
export interface AttemptLimits {
  /** What the peer is told. */
  readonly deadline: number | undefined;
  /** Instant at which the attempt is aborted. */
  readonly at: number;
  /** What the error says. */
  readonly message: string;
}

/** An attempt that is aborted at an instant of its own. */
export interface LimitedAttempt extends OwnedCall {
  /** The limit holds no longer. */
  lift(): void;
}

/** The same as {@link createAttempt}, for an attempt that watches its limit itself: `deadline_exceeded`, outcome `unknown`. */
export function createLimitedAttempt(call: Call, limits: AttemptLimits, runtime: Runtime): LimitedAttempt {
  const { kind, message, input, idempotent } = call;
  const { deadline } = limits;
  return new RootCall({ kind, message, input, deadline, idempotent, parent: call }, runtime, limits);
}

/** The same call with another message, input or deadline, sharing abort and context. (`{ ...call }` would lose its signal.) */
export function derive(call: Call, change: CallChange): Call {
  return new DerivedCall(call, change);
}

/** Limit of an attempt that has none of its own. */
const FOREVER: Pick<AttemptLimits, "at" | "message"> = { at: Number.POSITIVE_INFINITY, message: "" };

const LATE = "the deadline passed before the call was done";

class RootCall implements LimitedAttempt {
  readonly kind: CallKind;
  readonly message: Envelope;
  readonly input: AsyncIterable<Envelope> | undefined;
  readonly deadline: number | undefined;
  readonly idempotent: boolean;
  readonly #runtime: Runtime;
  readonly #parent: Call | undefined;
  readonly #isAttempt: boolean;
  readonly #late: string;
  #context: Context | undefined;
  #aborted: ParleyError | undefined;
  #settled = false;
  #watched: WatchedDeadline | undefined;
  #listeners: AbortListener | AbortListener[] | undefined;
  #controller: AbortController | undefined;

  /** @param limit of an attempt; any other call watches its deadline */
  constructor(init: CallInit, runtime: Runtime, limit?: Pick<AttemptLimits, "at" | "message">) {
    this.kind = init.kind;
    this.message = init.message;
    this.input = init.input;
    this.deadline = init.deadline;
    this.idempotent = init.idempotent === true;
    this.#isAttempt = limit !== undefined;
    this.#late = limit === undefined ? LATE : limit.message;
    this.#context = init.context;
    this.#runtime = runtime;
    this.#parent = init.parent;
    const at = limit === undefined ? init.deadline : limit.at;
    if (at !== undefined && at !== Number.POSITIVE_INFINITY) this.#watched = runtime.deadlines.add(at, this);
    init.parent?.onAbort(this);
  }

  get context(): Context {
    this.#context ??= this.#isAttempt && this.#parent ? this.#parent.context : new Context();
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
    const listeners = this.#end();
    if (Array.isArray(listeners)) for (const listener of listeners) listener.callAborted(reason);
    else listeners?.callAborted(reason);
    this.#controller?.abort(reason);
  }

  settle(): void {
    if (this.#settled) return;
    const listeners = this.#end();
    if (Array.isArray(listeners)) for (const listener of listeners) listener.callSettled?.();
    else listeners?.callSettled?.();
  }

  lift(): void {
    if (this.#watched) this.#runtime.deadlines.remove(this.#watched);
    this.#watched = undefined;
  }

  onAbort(listener: AbortListener): void {
    if (this.#aborted) listener.callAborted(this.#aborted);
    else if (this.#settled) listener.callSettled?.();
    else if (this.#listeners === undefined) this.#listeners = listener;
    else if (!Array.isArray(this.#listeners)) {
      if (this.#listeners !== listener) this.#listeners = [this.#listeners, listener];
    } else if (!this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  offAbort(listener: AbortListener): void {
    if (this.#listeners === listener) this.#listeners = undefined;
    else if (Array.isArray(this.#listeners)) {
      const index = this.#listeners.indexOf(listener);
      // Nearly always there are two: the one who waits, and an attempt or the wire.
      if (index >= 0 && this.#listeners.length === 2) this.#listeners = this.#listeners[1 - index];
      else if (index >= 0) this.#listeners.splice(index, 1);
    }
  }

  /** It is over: its deadline and its parent are let go. Gives the listeners, who are to be told. */
  #end(): AbortListener | AbortListener[] | undefined {
    this.#settled = true;
    this.lift();
    this.#parent?.offAbort(this);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    return listeners;
  }

  /** The parent was aborted. */
  callAborted(reason: ParleyError): void {
    this.abort(reason);
  }

  /** The parent is over. What was only called during it goes on; an attempt at it does not. */
  callSettled(): void {
    if (this.#isAttempt) this.settle();
  }

  /** The deadline has passed. What the peer did by then is unknown, whoever of the two noticed first. */
  onDeadline(): void {
    this.abort(new TransportError("deadline_exceeded", this.#late, { outcome: "unknown" }));
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

  get idempotent(): boolean {
    return this.#from.idempotent === true;
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

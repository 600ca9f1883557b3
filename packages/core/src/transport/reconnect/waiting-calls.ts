import type { AbortListener, Call } from "../../call/call.ts";
import { type ParleyError, TransportError } from "../../call/error.ts";
import type { Invoke, Reply } from "../../call/interceptor.ts";
import { withOutcome } from "../../call/outcome.ts";
import type { CancelTimer, Runtime } from "../../runtime/runtime.ts";

/** What {@link WaitingCalls} is made from. */
export interface WaitingCallsInit {
  readonly maxWaiting: number;
  readonly waitMs: number;
  readonly runtime: Runtime;
  /** Why there is no connection at present. */
  reason(): ParleyError | undefined;
}

/** Calls made while there is no connection, in their order; before them those that the last one has left. Nothing of them has been sent. */
export class WaitingCalls {
  readonly #init: WaitingCallsInit;
  readonly #left = new Set<WaitingCall>();
  readonly #made = new Set<WaitingCall>();

  constructor(init: WaitingCallsInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#left.size + this.#made.size;
  }

  /** A call is made. @throws ParleyError `not-sent`: no room, waited too long, or given up */
  add(call: Call): Promise<Reply> {
    return this.#add(call, this.#made);
  }

  /** A call was made before there was no connection, and is told of in its order. @throws ParleyError like {@link add} */
  addLeft(call: Call): Promise<Reply> {
    return this.#add(call, this.#left);
  }

  /** The connection is back: makes the calls, in their order and in this turn. */
  flush(invoke: Invoke): void {
    for (const waiting of this.#inOrder()) waiting.go(invoke);
  }

  /** It will not come back. */
  fail(error: ParleyError): void {
    for (const waiting of this.#inOrder()) waiting.fail(error);
  }

  #inOrder(): readonly WaitingCall[] {
    return [...this.#left, ...this.#made];
  }

  #add(call: Call, among: Set<WaitingCall>): Promise<Reply> {
    const { maxWaiting, waitMs, runtime, reason } = this.#init;
    if (this.size >= maxWaiting) {
      const full = `${maxWaiting} calls wait for the connection to come back already`;
      return Promise.reject(new TransportError("resource_exhausted", full, { outcome: "not-sent", cause: reason() }));
    }
    return new Promise((resolve, reject) => {
      const waiting = new WaitingCall(call, resolve, reject, () => among.delete(waiting));
      among.add(waiting);
      waiting.begin(
        runtime.setTimer(() => {
          const cause = reason();
          const message = `the connection did not come back within ${waitMs} ms${cause ? `: ${cause.message}` : ""}`;
          waiting.fail(new TransportError("unavailable", message, { outcome: "not-sent", cause }));
        }, waitMs),
      );
    });
  }
}

class WaitingCall implements AbortListener {
  readonly #call: Call;
  readonly #resolve: (reply: Promise<Reply>) => void;
  readonly #reject: (error: ParleyError) => void;
  readonly #left: () => void;
  #cancelTimer: CancelTimer | undefined;

  constructor(
    call: Call,
    resolve: (reply: Promise<Reply>) => void,
    reject: (error: ParleyError) => void,
    left: () => void,
  ) {
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#left = left;
  }

  begin(cancelTimer: CancelTimer): void {
    this.#cancelTimer = cancelTimer;
    this.#call.onAbort(this);
  }

  go(invoke: Invoke): void {
    this.#leave();
    this.#resolve(invoke(this.#call));
  }

  fail(error: ParleyError): void {
    this.#leave();
    this.#reject(error);
  }

  callAborted(reason: ParleyError): void {
    this.fail(withOutcome(reason, "not-sent"));
  }

  #leave(): void {
    this.#left();
    this.#cancelTimer?.();
    this.#call.offAbort(this);
  }
}

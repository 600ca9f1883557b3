import { type AbortListener, type Call, createCall, type OwnedCall } from "../call/call.ts";
import type { ParleyError } from "../call/error.ts";
import type { Invoke, Reply } from "../call/interceptor.ts";
import type { DeadlineListener, WatchedDeadline } from "../runtime/deadlines.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { promised } from "./promised.ts";

/** What a {@link DedupeRun} takes. */
export interface DedupeRunInit {
  readonly next: Invoke;
  /** How long it goes on when its last caller is lost, ms. */
  readonly graceMs: number;
  readonly runtime: Runtime;
}

/**
 * One run of a handler, shared by all who call for the same. Each caller leaves when its own call is aborted. The run is given up when
 * the last of them has cancelled; one that was lost, or ran out of time, may call again: the run waits so long for that.
 */
export class DedupeRun implements DeadlineListener {
  readonly settled: Promise<Reply>;
  readonly #call: OwnedCall;
  readonly #init: DedupeRunInit;
  #callers = 0;
  #over = false;
  #lastReason: ParleyError | undefined;
  #watched: WatchedDeadline | undefined;

  constructor(call: Call, init: DedupeRunInit) {
    const { kind, message, context, idempotent } = call;
    this.#init = init;
    // Somebody who calls again has more time than the first.
    const deadline = call.deadline === undefined ? undefined : call.deadline + init.graceMs;
    this.#call = createCall({ kind, message, context, idempotent, deadline }, init.runtime);
    this.settled = promised(init.next, this.#call).finally(() => this.#end());
    // Told to the callers, and kept in the store, by others.
    this.settled.catch(() => {});
  }

  /** Why the run was given up, once it was. */
  get aborted(): ParleyError | undefined {
    return this.#call.aborted;
  }

  /** The reply of the run, for one caller; the abort of its call comes first. */
  join(call: Call): Promise<Reply> {
    this.#callers++;
    this.#unwatch();
    return new Promise((resolve, reject) => {
      const caller: AbortListener = {
        callAborted: (reason) => {
          reject(reason);
          this.#leave(reason);
        },
      };
      call.onAbort(caller);
      const gone = (): void => call.offAbort(caller);
      this.settled.then(resolve, reject).finally(gone);
    });
  }

  /** Nobody has called again. */
  onDeadline(): void {
    if (this.#lastReason) this.#call.abort(this.#lastReason);
  }

  #leave(reason: ParleyError): void {
    if (--this.#callers > 0 || this.#over) return;
    const { graceMs, runtime } = this.#init;
    this.#lastReason = reason;
    if (reason.code === "cancelled" || graceMs === 0) this.#call.abort(reason);
    else this.#watched = runtime.deadlines.add(runtime.now() + graceMs, this);
  }

  #end(): void {
    this.#over = true;
    this.#unwatch();
    this.#call.settle();
  }

  #unwatch(): void {
    if (this.#watched) this.#init.runtime.deadlines.remove(this.#watched);
    this.#watched = undefined;
  }
}

import { cancelled, type Outcome, type ParleyError, TransportError } from "../../call/error.ts";
import { withOutcome } from "../../call/outcome.ts";
import type { WatchedDeadline } from "../../runtime/deadlines.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { OperationOptions } from "../../runtime/within.ts";

/** What an {@link Operation} takes. */
export interface OperationInit extends OperationOptions {
  /** As errors begin: `the publication to a/b`. */
  readonly what: string;
  readonly runtime: Runtime;
}

/** One operation of a protocol's client: settled once, by an answer, its caller, or its time; leaves nothing behind. */
export class Operation<Value> {
  readonly promise: Promise<Value>;
  /** Undoes what can be undone when the operation is given up, and says what is then known of its effect. */
  undo: () => Outcome = () => "not-sent";
  readonly #init: OperationInit;
  readonly #settle: PromiseWithResolvers<Value> = Promise.withResolvers();
  #deadline: WatchedDeadline | undefined;
  #over = false;

  constructor(init: OperationInit) {
    this.#init = init;
    this.promise = this.#settle.promise;
    const { signal, timeoutMs, runtime } = init;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
    else if (timeoutMs !== undefined)
      this.#deadline = runtime.deadlines.add(runtime.now() + timeoutMs, { onDeadline: () => this.#late() });
  }

  get over(): boolean {
    return this.#over;
  }

  resolve(value: Value): void {
    if (this.#end()) this.#settle.resolve(value);
  }

  reject(error: ParleyError): void {
    if (this.#end()) this.#settle.reject(error);
  }

  readonly #abort = (): void => {
    if (this.#over) return;
    const outcome = this.undo();
    this.reject(withOutcome(cancelled(this.#init.signal?.reason, outcome), outcome));
  };

  #late(): void {
    const { what, timeoutMs } = this.#init;
    this.reject(
      new TransportError("deadline_exceeded", `${what} took longer than ${timeoutMs} ms`, { outcome: this.undo() }),
    );
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    const { signal, runtime } = this.#init;
    signal?.removeEventListener("abort", this.#abort);
    if (this.#deadline) runtime.deadlines.remove(this.#deadline);
    return true;
  }
}

import { type Call, createCall, type OwnedCall } from "../call/call.ts";
import { ParleyError, TransportError } from "../call/error.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CloseOptions } from "../transport/transport.ts";
import { isPromise } from "./maybe.ts";

/** Handlers of `notify` that may run at a time. */
const MAX_RUNNING = 1_024;

/**
 * Handlers of `notify` that outlive their call: the sender has its answer, accepted, as soon as one starts. They keep the deadline of the
 * call, and not the sender's fate.
 */
export class Notifications {
  readonly #runtime: Runtime;
  readonly #running = new Set<OwnedCall>();
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Starts a handler with a call of its own. `failed` is told of what it throws.
   * @throws TransportError `resource_exhausted` when too many are running.
   */
  start(call: Call, run: (own: Call) => unknown, failed: (thrown: unknown, own: Call) => void): void {
    if (this.#running.size >= MAX_RUNNING) {
      throw new TransportError("resource_exhausted", `${MAX_RUNNING} notifications are being handled already`, {
        outcome: "rejected",
      });
    }
    const { kind, message, deadline, context } = call;
    const own = createCall({ kind, message, deadline, context }, this.#runtime);
    this.#running.add(own);
    try {
      const done = run(own);
      if (!isPromise(done)) return this.#ended(own);
      done.then(
        () => this.#ended(own),
        (thrown: unknown) => {
          this.#ended(own);
          failed(thrown, own);
        },
      );
    } catch (thrown) {
      this.#ended(own);
      failed(thrown, own);
    }
  }

  /** Resolves when none is running, at the latest after the grace: those still running are then aborted. */
  async drain({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    if (this.#running.size === 0) return;
    this.#idle ??= Promise.withResolvers();
    const { promise, resolve } = this.#idle;
    const cancelTimer = this.#runtime.setTimer(() => {
      const reason = new ParleyError("cancelled", "the agent is closing", { outcome: "unknown" });
      for (const own of [...this.#running]) own.abort(reason);
      resolve();
    }, graceMs);
    await promise;
    cancelTimer();
  }

  #ended(own: OwnedCall): void {
    own.settle();
    this.#running.delete(own);
    if (this.#running.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

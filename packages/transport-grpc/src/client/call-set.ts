import { type ParleyError, type Runtime, TransportError } from "@parley/core/transport";

/** A call that is not over. */
export interface PendingCall {
  /** Fails the call, whatever became of it. */
  lost(error: ParleyError): void;
}

/** The calls under way on one line. */
export class CallSet {
  readonly #calls = new Set<PendingCall>();
  #idle: (() => void) | undefined;

  get size(): number {
    return this.#calls.size;
  }

  /** @throws ParleyError `resource_exhausted`, `not-sent`, when there are so many already */
  requireRoom(maxCalls: number, address: string): void {
    if (this.#calls.size < maxCalls) return;
    throw new TransportError("resource_exhausted", `at most ${maxCalls} calls of ${address} are under way at a time`, {
      outcome: "not-sent",
    });
  }

  began(call: PendingCall): void {
    this.#calls.add(call);
  }

  settled(call: PendingCall): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#idle?.();
  }

  /** Waits for the calls to end, no longer than the grace; fails those that have not. */
  async drain(graceMs: number, address: string, runtime: Runtime): Promise<void> {
    if (this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        const cancelTimer = runtime.setTimer(resolve, graceMs);
        this.#idle = () => {
          cancelTimer();
          resolve();
        };
      });
    }
    const reason = new TransportError("unavailable", `the connection to ${address} was closed`, { outcome: "unknown" });
    for (const call of [...this.#calls]) call.lost(reason);
  }
}

import type { CancelTimer, RuntimeParts } from "../../runtime/runtime.ts";

/** What a heartbeat does for its connection. */
export interface HeartbeatOwner {
  /** Nothing was heard for an interval: ask for a sign of life. */
  probe(): void;
  /** Nothing was heard for two intervals: the peer is gone. */
  silent(silentMs: number): void;
}

/** Finds a peer that is gone without a word: silent for an interval, it is asked; silent for two, it is given up. */
export class Heartbeat {
  readonly #runtime: RuntimeParts;
  readonly #intervalMs: number;
  readonly #owner: HeartbeatOwner;
  #heardAt: number;
  #probed = false;
  #cancelTimer: CancelTimer | undefined;

  constructor(runtime: RuntimeParts, intervalMs: number, owner: HeartbeatOwner) {
    this.#runtime = runtime;
    this.#intervalMs = intervalMs;
    this.#owner = owner;
    this.#heardAt = runtime.now();
    this.#sleep();
  }

  /** Something arrived. */
  heard(): void {
    this.#heardAt = this.#runtime.now();
    this.#probed = false;
  }

  stop(): void {
    this.#cancelTimer?.();
  }

  #sleep(): void {
    const wakeAt = this.#heardAt + this.#intervalMs * (this.#probed ? 2 : 1);
    this.#cancelTimer = this.#runtime.setTimer(() => this.#wake(), Math.max(1, wakeAt - this.#runtime.now()));
  }

  #wake(): void {
    const silentMs = this.#runtime.now() - this.#heardAt;
    if (silentMs >= this.#intervalMs * 2 && this.#probed) return this.#owner.silent(silentMs);
    if (silentMs >= this.#intervalMs && !this.#probed) {
      this.#probed = true;
      this.#owner.probe();
    }
    this.#sleep();
  }
}

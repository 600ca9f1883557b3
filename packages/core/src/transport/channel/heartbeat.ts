import type { CancelTimer, RuntimeParts } from "../../runtime/runtime.ts";

/** What a heartbeat does for its connection. */
export interface HeartbeatOwner {
  /** Asks for a sign of life, or gives one. */
  probe(): void;
  /** Nothing was heard for two intervals: the peer is gone. */
  silent(silentMs: number): void;
}

/** How a heartbeat finds out. */
export interface HeartbeatOptions {
  /** Both sides give signs of life without being asked. @default false */
  readonly steady?: boolean;
}

/** How late a wake must be to be none of the peer's doing, in intervals. */
const LATE = 0.1;

/**
 * Finds a peer that is gone without a word. One that is silent for an interval is asked; or, where both sides are `steady`, each gives a sign of life
 * twice in an interval without being asked. One that is silent for two is given up.
 *
 * A process that was stopped, or was too busy to look, has not heard what came meanwhile: it gives its peer another interval.
 */
export class Heartbeat {
  readonly #runtime: RuntimeParts;
  readonly #intervalMs: number;
  readonly #owner: HeartbeatOwner;
  readonly #steady: boolean;
  #heardAt: number;
  #probedAt: number;
  #probed = false;
  #wakeAt = 0;
  #pardoned = false;
  #cancelTimer: CancelTimer | undefined;

  constructor(runtime: RuntimeParts, intervalMs: number, owner: HeartbeatOwner, options: HeartbeatOptions = {}) {
    const { steady = false } = options;
    this.#runtime = runtime;
    this.#intervalMs = intervalMs;
    this.#owner = owner;
    this.#steady = steady;
    this.#heardAt = runtime.now();
    this.#probedAt = this.#heardAt;
    this.#sleep();
  }

  /** Something arrived. */
  heard(): void {
    this.#heardAt = this.#runtime.now();
    this.#probed = false;
    this.#pardoned = false;
  }

  stop(): void {
    this.#cancelTimer?.();
  }

  /** When to ask, or to give a sign. */
  get #probeAt(): number {
    if (this.#steady) return this.#probedAt + this.#intervalMs / 2;
    return this.#probed ? Number.POSITIVE_INFINITY : this.#heardAt + this.#intervalMs;
  }

  #sleep(): void {
    const now = this.#runtime.now();
    this.#wakeAt = Math.max(now + 1, Math.min(this.#probeAt, this.#heardAt + this.#intervalMs * 2));
    this.#cancelTimer = this.#runtime.setTimer(() => this.#wake(), this.#wakeAt - now);
  }

  #wake(): void {
    const now = this.#runtime.now();
    if (now - this.#wakeAt > this.#intervalMs * LATE && !this.#pardoned) {
      this.#pardoned = true;
      this.#heardAt = Math.max(this.#heardAt, now - this.#intervalMs);
    }
    const silentMs = now - this.#heardAt;
    if (silentMs >= this.#intervalMs * 2 && (this.#steady || this.#probed)) return this.#owner.silent(silentMs);
    if (now >= this.#probeAt) {
      this.#probed = true;
      this.#probedAt = now;
      this.#owner.probe();
    }
    this.#sleep();
  }
}

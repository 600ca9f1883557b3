import { type Runtime, TransportError } from "@parley/core/transport";

/** How often a child may be started. */
export interface StartLimit {
  /** Starts within the time below, the first included. */
  readonly starts: number;
  readonly withinMs: number;
}

/** Remembers when children were started, as far as the limit asks. */
export class StartHistory {
  readonly #limit: StartLimit | undefined;
  #starts: number[] = [];

  constructor(limit: StartLimit | undefined) {
    this.#limit = limit;
  }

  /** Notes a start. @throws TransportError `unavailable`, `not-sent`, with `retryAfterMs`, when there were too many lately. */
  start(program: string, { now }: Pick<Runtime, "now">): void {
    if (!this.#limit) return;
    const { starts, withinMs } = this.#limit;
    const time = now();
    this.#starts = this.#starts.filter((start) => time - start < withinMs);
    if (this.#starts.length >= starts) {
      const [first = time] = this.#starts;
      throw new TransportError(
        "unavailable",
        `${program} was started ${this.#starts.length} times within ${withinMs} ms, the most that startLimit permits; see why it ends`,
        { outcome: "not-sent", retryAfterMs: Math.ceil(first + withinMs - time), details: { starts, withinMs } },
      );
    }
    this.#starts.push(time);
  }
}

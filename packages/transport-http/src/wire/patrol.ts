import type { DeadlineListener, Runtime, WatchedDeadline } from "@parley/core/transport";

/** Looks at something again and again, at most once a period, as long as there is reason to. Costs nothing per thing that comes and goes. */
export class Patrol implements DeadlineListener {
  readonly #runtime: Runtime;
  readonly #periodMs: number;
  readonly #look: () => boolean;
  #next: WatchedDeadline | undefined;

  /** @param look called after each period; tells whether there is reason to go on. */
  constructor(runtime: Runtime, periodMs: number, look: () => boolean) {
    this.#runtime = runtime;
    this.#periodMs = periodMs;
    this.#look = look;
  }

  /** Begins a period, unless one has begun. */
  start(): void {
    this.#next ??= this.#runtime.deadlines.add(this.#runtime.now() + this.#periodMs, this);
  }

  stop(): void {
    if (this.#next) this.#runtime.deadlines.remove(this.#next);
    this.#next = undefined;
  }

  onDeadline(): void {
    this.#next = undefined;
    if (this.#look()) this.start();
  }
}

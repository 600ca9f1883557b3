import type { DeadlineListener, Runtime, WatchedDeadline } from "../../transport/index.ts";

/** What a {@link Patrol} does. */
export interface PatrolInit {
  /** Called after each period; tells whether there is reason to go on. */
  readonly look: () => boolean;
  /** Whether there is something to look at. */
  readonly needed: () => boolean;
}

/** Looks at something again and again, at most once a period, as long as there is reason to. Costs nothing per thing that comes and goes. */
export class Patrol implements DeadlineListener {
  readonly #runtime: Runtime;
  readonly #periodMs: number;
  readonly #init: PatrolInit;
  #next: WatchedDeadline | undefined;
  #deciding = false;
  #stopped = false;

  constructor(runtime: Runtime, periodMs: number, init: PatrolInit) {
    this.#runtime = runtime;
    this.#periodMs = periodMs;
    this.#init = init;
  }

  /** Whether a period has begun. */
  get on(): boolean {
    return this.#next !== undefined;
  }

  /** Begins a period, unless one has begun. */
  start(): void {
    if (!this.#stopped) this.#next ??= this.#runtime.deadlines.add(this.#runtime.now() + this.#periodMs, this);
  }

  /**
   * Something has come, or gone: whether to go on is decided in the next turn, so that what comes and goes within one, or goes just before
   * the next comes, starts and stops nothing. Without anything to look at no timer is left.
   */
  decide(): void {
    if (this.#deciding) return;
    this.#deciding = true;
    this.#runtime.nextTurn(() => {
      this.#deciding = false;
      if (this.#init.needed()) this.start();
      else this.#rest();
    });
  }

  /** Looks no more, for good. */
  stop(): void {
    this.#stopped = true;
    this.#rest();
  }

  onDeadline(): void {
    this.#next = undefined;
    if (this.#init.look()) this.start();
  }

  #rest(): void {
    if (this.#next) this.#runtime.deadlines.remove(this.#next);
    this.#next = undefined;
  }
}

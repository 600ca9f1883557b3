import type { CancelTimer, RuntimeParts } from "./runtime.ts";

/** Told once when its instant has passed. */
export interface DeadlineListener {
  onDeadline(): void;
}

/** A deadline that is being watched; hand it to `remove` when it no longer matters. */
export interface WatchedDeadline {
  readonly at: number;
  readonly listener: DeadlineListener;
  previous: WatchedDeadline | undefined;
  next: WatchedDeadline | undefined;
  slot: number;
}

type Parts = Pick<RuntimeParts, "now" | "setTimer" | "defer">;

const SLOTS = 256;
const SLOT_MS = 8;
/** Not in the wheel. */
const OUT = -1;
/** About to be reported, with others. */
const DUE = -2;

/**
 * All deadlines of a runtime on one timer: a hashed wheel of 256 slots of 8 ms, with linked lists in the slots, so that adding and
 * removing take constant time and leave nothing behind (Varghese and Lauck, 1987, scheme 6). A deadline is reported after
 * its instant, by up to one slot, and never before it. The timer sleeps until the next occupied slot, and is off while the wheel is empty: from
 * the end of the turn in which it became so, since turns that begin and end calls would do little else than set timers.
 */
export class Deadlines {
  readonly #parts: Parts;
  readonly #slots: (WatchedDeadline | undefined)[] = new Array(SLOTS).fill(undefined);
  #size = 0;
  /** Tick (instant / SLOT_MS) at which the timer will fire; Infinity while it is off. */
  #wakeTick = Number.POSITIVE_INFINITY;
  #cancelTimer: CancelTimer | undefined;
  #stopDue = false;
  /** The last tick whose slot has been looked at. */
  #seenTick = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Number of deadlines being watched. */
  get size(): number {
    return this.#size;
  }

  /**
   * Watches the instant `at` (on the runtime's monotonic clock). One already past is reported on the next tick, never synchronously; one that
   * is not finite, never.
   */
  add(at: number, listener: DeadlineListener): WatchedDeadline {
    if (!Number.isFinite(at)) return { at, listener, previous: undefined, next: undefined, slot: OUT };
    if (this.#size === 0) this.#seenTick = Math.floor(this.#parts.now() / SLOT_MS);
    const tick = Math.max(Math.ceil(at / SLOT_MS), this.#seenTick + 1);
    const slot = tick % SLOTS;
    const first = this.#slots[slot];
    const watched: WatchedDeadline = { at, listener, previous: undefined, next: first, slot };
    if (first) first.previous = watched;
    this.#slots[slot] = watched;
    this.#size++;
    if (tick < this.#wakeTick) this.#sleepUntil(tick);
    return watched;
  }

  /** Stops watching; does nothing for one that was reported or removed already. */
  remove(watched: WatchedDeadline): void {
    if (watched.slot < 0) {
      watched.slot = OUT;
      return;
    }
    if (watched.previous) watched.previous.next = watched.next;
    else this.#slots[watched.slot] = watched.next;
    if (watched.next) watched.next.previous = watched.previous;
    watched.slot = OUT;
    if (--this.#size > 0 || this.#stopDue) return;
    this.#stopDue = true;
    this.#parts.defer(this.#stopIfEmpty);
  }

  #sleepUntil(tick: number): void {
    this.#cancelTimer?.();
    this.#wakeTick = tick;
    const delayMs = Math.max(1, tick * SLOT_MS - this.#parts.now());
    this.#cancelTimer = this.#parts.setTimer(() => this.#wake(), delayMs);
  }

  readonly #stopIfEmpty = (): void => {
    this.#stopDue = false;
    if (this.#size > 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#wakeTick = Number.POSITIVE_INFINITY;
  };

  #wake(): void {
    this.#cancelTimer = undefined;
    this.#wakeTick = Number.POSITIVE_INFINITY;
    const now = this.#parts.now();
    const tick = Math.floor(now / SLOT_MS);
    const due: WatchedDeadline[] = [];
    // After a pause longer than a round, one round sees every slot.
    for (let seen = Math.max(this.#seenTick + 1, tick - SLOTS + 1); seen <= tick; seen++) {
      for (let one = this.#slots[seen % SLOTS]; one; one = one.next) if (one.at <= now) due.push(one);
    }
    this.#seenTick = tick;
    for (const one of due) {
      this.remove(one);
      one.slot = DUE;
    }
    if (this.#size > 0) {
      let next = tick + 1;
      while (this.#slots[next % SLOTS] === undefined) next++;
      if (next < this.#wakeTick) this.#sleepUntil(next);
    }
    for (const one of due) {
      // What was reported before it may have removed it.
      if (one.slot !== DUE) continue;
      one.slot = OUT;
      one.listener.onDeadline();
    }
  }
}

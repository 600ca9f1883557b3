import type { AbortListener, Call } from "../call/call.ts";
import type { ParleyError } from "../call/error.ts";
import type { Interceptor } from "../call/interceptor.ts";
import { guarded, type Room, type Turn } from "./guarded-call.ts";
import { countOption } from "./option.ts";
import { refused } from "./refused.ts";

/** What {@link bulkhead} takes. */
export interface BulkheadOptions {
  /** Calls under way at a time; a stream is until its reader is done with it. */
  readonly maxConcurrent: number;
  /** Calls that may wait for one of them to end. @default as many as may be under way */
  readonly maxQueued?: number | undefined;
}

/** What a {@link Bulkhead} holds. */
export interface BulkheadStats {
  readonly running: number;
  readonly queued: number;
  /** Calls refused since it was made. */
  readonly refused: number;
}

/** An interceptor that bounds what one destination can take up. */
export interface Bulkhead extends Interceptor {
  stats(): BulkheadStats;
}

/**
 * Lets so many calls be under way at a time; so many more wait, first come, first served, and what is beyond that is refused at once with
 * `resource_exhausted`, `not-sent` (M. Nygard, "Release It!", Bulkheads). A call that waits runs when its turn comes, unless it is aborted
 * before: then it leaves the queue at once. The same one in several lists is shared.
 * @throws ParleyError `invalid_argument` for what is no count.
 */
export function bulkhead({ maxConcurrent, maxQueued = maxConcurrent }: BulkheadOptions): Bulkhead {
  const hold = new Hold(countOption("maxConcurrent", maxConcurrent, 1), countOption("maxQueued", maxQueued, 0));
  return Object.assign(guarded({ room: hold }), { stats: () => hold.stats() });
}

class Hold implements Room {
  readonly #maxConcurrent: number;
  readonly #maxQueued: number;
  /** In order of arrival; a set, so that one that leaves costs no search. */
  readonly #queue = new Set<WaitingCall>();
  #running = 0;
  #refused = 0;

  constructor(maxConcurrent: number, maxQueued: number) {
    this.#maxConcurrent = maxConcurrent;
    this.#maxQueued = maxQueued;
  }

  stats(): BulkheadStats {
    return { running: this.#running, queued: this.#queue.size, refused: this.#refused };
  }

  enter(call: Call, turn: Turn): boolean {
    if (this.#running < this.#maxConcurrent) {
      this.#running++;
      return true;
    }
    if (this.#queue.size >= this.#maxQueued) {
      this.#refused++;
      const full = `${this.#running} calls are under way and ${this.#queue.size} wait`;
      turn.gone(refused("resource_exhausted", `no room for the call of ${call.message.type}: ${full}`, undefined));
      return false;
    }
    const waiting: WaitingCall = new WaitingCall(call, turn, () => this.#queue.delete(waiting));
    this.#queue.add(waiting);
    call.onAbort(waiting);
    return false;
  }

  leaveAfter(call: Call): void {
    const leave = (): void => this.leave();
    call.onAbort({ callAborted: leave, callSettled: leave });
  }

  leave(): void {
    this.#running--;
    if (this.#queue.size === 0 || this.#running >= this.#maxConcurrent) return;
    const [first] = this.#queue;
    if (!first) return;
    this.#queue.delete(first);
    this.#running++;
    first.start();
  }
}

class WaitingCall implements AbortListener {
  readonly #call: Call;
  readonly #turn: Turn;
  readonly #leave: () => void;

  constructor(call: Call, turn: Turn, leave: () => void) {
    this.#call = call;
    this.#turn = turn;
    this.#leave = leave;
  }

  start(): void {
    this.#call.offAbort(this);
    this.#turn.start();
  }

  callAborted(reason: ParleyError): void {
    this.#leave();
    this.#turn.gone(reason);
  }
}

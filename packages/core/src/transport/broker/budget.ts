import type { Credit } from "../channel/credit.ts";
import type { Window } from "../channel/window.ts";

/** What may be on its way to one inbox, over all its streams: a broker that has to keep more for a subscriber starts to drop. */
export const INBOX_BUDGET: Credit = { items: 512, bytes: 1024 * 1024 };

/** Where there is nothing to send. */
export const NO_CREDIT: Credit = { items: 0, bytes: 0 };

/** Part of what is left that a new stream starts with. */
const START_PART = 8;

/** What a stream gets even when nothing is left, so that it moves. */
const LEAST: Credit = { items: 1, bytes: 1024 };

/** The credit that all streams to one inbox share: at most the budget, and one item more for each stream that came when it was used up. */
export class CreditBudget {
  readonly #total: Credit;
  #items = 0;
  #bytes = 0;
  #streams = 0;

  constructor(total: Credit = INBOX_BUDGET) {
    this.#total = total;
  }

  /** Granted, and not arrived yet. */
  get outstanding(): Credit {
    return { items: this.#items, bytes: this.#bytes };
  }

  /** What is left, and never less than nothing. */
  get left(): Credit {
    return { items: Math.max(0, this.#total.items - this.#items), bytes: Math.max(0, this.#total.bytes - this.#bytes) };
  }

  /** An equal part of the whole for one of the streams. */
  get share(): Credit {
    const streams = Math.max(1, this.#streams);
    return atLeast(
      { items: Math.floor(this.#total.items / streams), bytes: Math.floor(this.#total.bytes / streams) },
      LEAST,
    );
  }

  /** Opens a window that never has more than `most` outstanding or unread. Whoever opens it must close it. */
  open(most: Credit): BudgetWindow {
    this.#streams++;
    const { items, bytes } = this.left;
    const part = { items: Math.floor(items / START_PART), bytes: Math.floor(bytes / START_PART) };
    const window = new BudgetWindow(this, most, atMost(atLeast(part, LEAST), most));
    this.grant(window.granted.items, window.granted.bytes);
    return window;
  }

  /** So much more, or less, is on its way. */
  grant(items: number, bytes: number): void {
    this.#items += items;
    this.#bytes += bytes;
  }

  /** A window has closed. */
  leave(items: number, bytes: number): void {
    this.#streams--;
    this.grant(-items, -bytes);
  }
}

/** One stream's part of a {@link CreditBudget}. */
export class BudgetWindow implements Window {
  readonly #budget: CreditBudget;
  readonly #most: Credit;
  #receivedItems = 0;
  #receivedBytes = 0;
  #takenItems = 0;
  #takenBytes = 0;
  #closed = false;
  granted: Credit;

  constructor(budget: CreditBudget, most: Credit, granted: Credit) {
    this.#budget = budget;
    this.#most = most;
    this.granted = granted;
  }

  received(items: number, bytes: number): void {
    const before = this.#bytesOnWay;
    this.#receivedItems += items;
    this.#receivedBytes += bytes;
    if (!this.#closed) this.#budget.grant(-items, this.#bytesOnWay - before);
  }

  taken(bytes: number): Credit | undefined {
    this.#takenItems++;
    this.#takenBytes += bytes;
    if (this.#closed) return undefined;
    const { share, left } = this.#budget;
    const starved = this.#takenItems === this.#receivedItems;
    const items = this.#next(this.granted.items, this.#receivedItems, this.#takenItems, starved, "items", share, left);
    const upTo = this.#next(this.granted.bytes, this.#receivedBytes, this.#takenBytes, starved, "bytes", share, left);
    const half =
      (items - this.granted.items) * 2 >= Math.min(share.items, this.#most.items) ||
      (upTo - this.granted.bytes) * 2 >= Math.min(share.bytes, this.#most.bytes);
    const stuck = starved && (this.granted.items <= this.#receivedItems || this.granted.bytes <= this.#receivedBytes);
    if (!half && !stuck) return undefined;
    const before = this.#bytesOnWay;
    const more = items - this.granted.items;
    this.granted = { items, bytes: upTo };
    this.#budget.grant(more, this.#bytesOnWay - before);
    return this.granted;
  }

  /** The stream is over: what it had goes back. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#budget.leave(this.granted.items - this.#receivedItems, this.#bytesOnWay);
  }

  /** An item may start while a byte is left, so more can arrive than was granted. */
  get #bytesOnWay(): number {
    return Math.max(0, this.granted.bytes - this.#receivedBytes);
  }

  /** How far one of the two counts can go. */
  #next(
    granted: number,
    received: number,
    taken: number,
    starved: boolean,
    unit: keyof Credit,
    share: Credit,
    left: Credit,
  ): number {
    const room = Math.min(taken + this.#most[unit], received + share[unit], Math.max(granted, received) + left[unit]);
    return Math.max(granted, room, starved ? received + Math.min(LEAST[unit], this.#most[unit]) : 0);
  }
}

function atLeast(credit: Credit, least: Credit): Credit {
  return { items: Math.max(credit.items, least.items), bytes: Math.max(credit.bytes, least.bytes) };
}

function atMost(credit: Credit, most: Credit): Credit {
  return { items: Math.min(credit.items, most.items), bytes: Math.min(credit.bytes, most.bytes) };
}

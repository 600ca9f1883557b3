import type { Credit } from "./credit.ts";

/** How far the sender of a stream may go, as its items arrive and are read. */
export interface Window {
  /** What the sender has been told. */
  readonly granted: Credit;
  /** An item event has arrived. */
  received(items: number, bytes: number): void;
  /** The reader has taken an item of so many bytes. Returns the credit that is now worth telling, if any. */
  taken(bytes: number): Credit | undefined;
}

/** Always lets so much be on its way or unread, and says so half a window at a time. */
export class FixedWindow implements Window {
  readonly #size: Credit;
  #items = 0;
  #bytes = 0;
  granted: Credit;

  constructor(size: Credit) {
    this.#size = size;
    this.granted = size;
  }

  received(): void {}

  taken(bytes: number): Credit | undefined {
    this.#items++;
    this.#bytes += bytes;
    const items = this.#items + this.#size.items;
    const upTo = this.#bytes + this.#size.bytes;
    const half =
      (items - this.granted.items) * 2 >= this.#size.items || (upTo - this.granted.bytes) * 2 >= this.#size.bytes;
    if (!half) return undefined;
    this.granted = { items, bytes: upTo };
    return this.granted;
  }
}

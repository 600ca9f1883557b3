import type { ParleyError } from "../call/error.ts";

/** What an {@link ItemQueue} tells whoever fills it. */
export interface ItemQueueOwner {
  /** The reader has taken an item of so many bytes. Not told after the end. */
  taken(bytes: number): void;
  /** The reader has left before the end. */
  abandoned(): void;
}

interface Reader<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: ParleyError) => void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Items already taken that may stay in front of the queue before it is moved up. */
const MAX_TAKEN = 1_024;

/**
 * The receiving end of a stream: items that have arrived, read by one async iterator. It has no bound of its own: its owner sees to that, by
 * credit or by pausing a socket.
 */
export class ItemQueue<Item> implements AsyncIterableIterator<Item, undefined, undefined> {
  readonly #owner: ItemQueueOwner;
  #items: Item[] = [];
  #sizes: number[] = [];
  #head = 0;
  #readers: Reader<Item>[] = [];
  #finished: { readonly error: ParleyError | undefined } | undefined;

  constructor(owner: ItemQueueOwner) {
    this.#owner = owner;
  }

  /** Items that wait to be read. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Takes an item of so many bytes. After the end: dropped. */
  push(item: Item, bytes: number): void {
    if (this.#finished) return;
    const reader = this.#readers.shift();
    if (reader) {
      this.#owner.taken(bytes);
      reader.resolve({ done: false, value: item });
    } else {
      this.#items.push(item);
      this.#sizes.push(bytes);
    }
  }

  /** No more will come; what has arrived is still read. */
  end(): void {
    this.#finish(undefined);
  }

  /** Ends with an error, after the items that have arrived. */
  fail(error: ParleyError): void {
    this.#finish(error);
  }

  /** Ends with an error at once; what waits is dropped. */
  abort(error: ParleyError): void {
    this.#clear();
    this.#finish(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.size > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (!this.#finished) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const { error } = this.#finished;
    // An error is thrown once; whoever asks on is told that there is no more.
    this.#finished = { error: undefined };
    return error ? Promise.reject(error) : Promise.resolve(DONE);
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#clear();
    if (this.#finished) this.#finished = { error: undefined };
    else {
      this.#finish(undefined);
      this.#owner.abandoned();
    }
    return Promise.resolve(DONE);
  }

  #take(): Item {
    const item = this.#items[this.#head] as Item;
    const bytes = this.#sizes[this.#head] as number;
    this.#head++;
    if (this.size === 0) this.#clear();
    else if (this.#head >= MAX_TAKEN && this.#head >= this.size) {
      // A reader who never catches up would otherwise keep all that it has read.
      this.#items = this.#items.slice(this.#head);
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
    if (!this.#finished) this.#owner.taken(bytes);
    return item;
  }

  #clear(): void {
    this.#items = [];
    this.#sizes = [];
    this.#head = 0;
  }

  #finish(error: ParleyError | undefined): void {
    if (this.#finished) return;
    const readers = this.#readers;
    this.#readers = [];
    const first = error && readers.shift();
    this.#finished = { error: first ? undefined : error };
    if (error) first?.reject(error);
    for (const reader of readers) reader.resolve(DONE);
  }
}

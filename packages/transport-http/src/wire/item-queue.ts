import type { Envelope, ParleyError } from "@parley/core/transport";

/** Where a queue's items come from: it is told when to stop reading the socket. */
export interface ItemSource {
  /** Enough is queued: read no more. */
  pause(): void;
  /** There is room again. */
  resume(): void;
  /** The reader has left before the end. */
  abandoned(): void;
}

interface Reader {
  readonly resolve: (result: IteratorResult<Envelope, undefined>) => void;
  readonly reject: (error: ParleyError) => void;
}

/** Bounds at which the source is paused; what one read of the socket brings may go over them. */
const HIGH_WATER_ITEMS = 1_024;
const HIGH_WATER_BYTES = 256 * 1024;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** The receiving end of a stream: items that have arrived, read by one async iterator. A reader who stalls stops the socket. */
export class ItemQueue implements AsyncIterableIterator<Envelope, undefined, undefined> {
  readonly #source: ItemSource;
  #items: Envelope[] = [];
  #sizes: number[] = [];
  #head = 0;
  #bytes = 0;
  #paused = false;
  #readers: Reader[] = [];
  #finished: { readonly error: ParleyError | undefined } | undefined;

  constructor(source: ItemSource) {
    this.#source = source;
  }

  /** Whether the source is paused because the reader is behind. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Takes an item whose line is so long. After the end: dropped. */
  push(item: Envelope, bytes: number): void {
    if (this.#finished) return;
    const reader = this.#readers.shift();
    if (reader) return reader.resolve({ done: false, value: item });
    this.#items.push(item);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    if (!this.#paused && (this.#bytes >= HIGH_WATER_BYTES || this.#items.length - this.#head >= HIGH_WATER_ITEMS)) {
      this.#paused = true;
      this.#source.pause();
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

  /** Ends with an error at once; what is queued is dropped. */
  abort(error: ParleyError): void {
    this.#clear();
    this.#finish(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope, undefined>> {
    if (this.#head < this.#items.length) return Promise.resolve({ done: false, value: this.#take() });
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
      this.#source.abandoned();
    }
    return Promise.resolve(DONE);
  }

  #take(): Envelope {
    const item = this.#items[this.#head] as Envelope;
    this.#bytes -= this.#sizes[this.#head] as number;
    if (++this.#head === this.#items.length) this.#clear();
    if (
      this.#paused &&
      this.#bytes * 2 <= HIGH_WATER_BYTES &&
      (this.#items.length - this.#head) * 2 <= HIGH_WATER_ITEMS
    ) {
      this.#paused = false;
      this.#source.resume();
    }
    return item;
  }

  #clear(): void {
    this.#items = [];
    this.#sizes = [];
    this.#head = 0;
    this.#bytes = 0;
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

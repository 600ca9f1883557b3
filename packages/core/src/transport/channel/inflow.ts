import { ParleyError, TransportError } from "../../call/error.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { Credit } from "./credit.ts";
import { itemsOf } from "./item-batch.ts";
import { nextSeq } from "./seq.ts";

/** What an inflow asks of the call it belongs to. */
export interface InflowOwner {
  /** Tells the sender how far it may go. */
  grant(credit: Credit): void;
  /** The reader has left before the end. */
  abandoned(): void;
}

interface Reader {
  readonly resolve: (result: IteratorResult<Envelope, undefined>) => void;
  readonly reject: (error: ParleyError) => void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The receiving end of one direction of a stream: a queue as long as the window, read by one async iterator. It grants credit as the
 * reader takes items, half a window at a time, so that a reader who stalls stops the sender and nobody else.
 */
export class Inflow implements AsyncIterableIterator<Envelope, undefined, undefined> {
  readonly #owner: InflowOwner;
  readonly #window: Credit;
  #queue: Envelope[] = [];
  #sizes: number[] = [];
  #head = 0;
  #readers: Reader[] = [];
  #seq = 0;
  #receivedItems = 0;
  #receivedBytes = 0;
  #takenItems = 0;
  #takenBytes = 0;
  #granted: Credit;
  #finished: { readonly error: ParleyError | undefined } | undefined;

  constructor(owner: InflowOwner, window: Credit) {
    this.#owner = owner;
    this.#window = window;
    this.#granted = window;
  }

  /** Takes an item event of so many bytes. Returns what is wrong with it, if anything: the caller then ends the call. */
  push(message: Envelope, bytes: number): ParleyError | undefined {
    const count = message.count ?? 1;
    if (message.seq !== nextSeq(this.#seq)) return lost(nextSeq(this.#seq), message.seq);
    if (this.#receivedItems + count > this.#granted.items || this.#receivedBytes >= this.#granted.bytes) {
      return new TransportError(
        "resource_exhausted",
        `the peer sent item ${message.seq} beyond its credit of ${this.#granted.items} items and ${this.#granted.bytes} bytes`,
      );
    }
    const items = message.count === undefined ? undefined : itemsOf(message);
    if (message.count !== undefined && !items) {
      return new ParleyError(
        "invalid_argument",
        `item event ${message.seq} does not hold the ${count} items that it announces`,
      );
    }
    this.#seq = nextSeq(this.#seq, count);
    this.#receivedItems += count;
    this.#receivedBytes += bytes;
    // Of several items in one event, the last pays for it.
    if (!items) this.#deliver(message, bytes);
    else for (const [index, item] of items.entries()) this.#deliver(item, index === count - 1 ? bytes : 0);
    return undefined;
  }

  /** The sender is done. `seq` is one past its last item. Returns what is wrong, if items are missing. */
  end(seq: number | undefined): ParleyError | undefined {
    if (seq !== undefined && seq !== nextSeq(this.#seq)) return lost(nextSeq(this.#seq), seq);
    this.#finish(undefined);
    return undefined;
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
    if (this.#head < this.#queue.length) return Promise.resolve({ done: false, value: this.#take() });
    if (!this.#finished) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const { error } = this.#finished;
    // An error is thrown once; whoever asks on is told that there is no more.
    this.#finished = { error: undefined };
    return error ? Promise.reject(error) : Promise.resolve(DONE);
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#clear();
    if (!this.#finished) {
      this.#finish(undefined);
      this.#owner.abandoned();
    } else this.#finished = { error: undefined };
    return Promise.resolve(DONE);
  }

  #deliver(item: Envelope, bytes: number): void {
    const reader = this.#readers.shift();
    if (reader) {
      this.#taken(bytes);
      reader.resolve({ done: false, value: item });
    } else {
      this.#queue.push(item);
      this.#sizes.push(bytes);
    }
  }

  #take(): Envelope {
    const item = this.#queue[this.#head] as Envelope;
    const bytes = this.#sizes[this.#head] as number;
    if (++this.#head === this.#queue.length) this.#clear();
    this.#taken(bytes);
    return item;
  }

  #taken(bytes: number): void {
    this.#takenItems++;
    this.#takenBytes += bytes;
    if (this.#finished) return;
    const items = this.#takenItems + this.#window.items;
    const upTo = this.#takenBytes + this.#window.bytes;
    const half =
      (items - this.#granted.items) * 2 >= this.#window.items || (upTo - this.#granted.bytes) * 2 >= this.#window.bytes;
    if (!half) return;
    this.#granted = { items, bytes: upTo };
    this.#owner.grant(this.#granted);
  }

  #clear(): void {
    this.#queue = [];
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

function lost(expected: number, seq: number | undefined): ParleyError {
  return new ParleyError("data_loss", `items are missing from the stream: expected number ${expected}, got ${seq}`, {
    outcome: "unknown",
  });
}

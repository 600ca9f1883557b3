import type { AbortListener, Call } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import type { Envelope } from "../envelope/envelope.ts";

interface Reader {
  readonly resolve: (result: IteratorResult<Envelope, undefined>) => void;
  readonly reject: (error: ParleyError) => void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * One subscription of a hub: a bounded queue, read by one async iterator. A reader who falls behind gets all that was kept, then `data_loss`
 * with the number of those that were not; other subscriptions notice nothing.
 */
export class HubSubscription implements AsyncIterableIterator<Envelope, undefined, undefined>, AbortListener {
  readonly filter: string;
  readonly #maxQueued: number;
  readonly #ended: () => void;
  #call: Call | undefined;
  #queue: Envelope[] = [];
  #head = 0;
  #readers: Reader[] = [];
  #lost = 0;
  #over = false;
  #error: ParleyError | undefined;

  constructor(filter: string, maxQueued: number, ended: () => void) {
    this.filter = filter;
    this.#maxQueued = maxQueued;
    this.#ended = ended;
  }

  /** Takes an item, or counts it as lost. */
  push(item: Envelope): boolean {
    if (this.#over) return false;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: item });
    else if (this.#lost > 0 || this.#queue.length - this.#head >= this.#maxQueued) {
      this.#lost++;
      return false;
    } else this.#queue.push(item);
    return true;
  }

  /** Ends when the call is aborted. */
  endWith(call: Call): void {
    this.#call = call;
    call.onAbort(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope, undefined>> {
    if (this.#head < this.#queue.length) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#lost > 0 && !this.#over) this.#end(tooSlow(this.filter, this.#lost));
    if (!this.#over) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const error = this.#error;
    this.#error = undefined;
    return error ? Promise.reject(error) : Promise.resolve(DONE);
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#end(undefined);
    this.#error = undefined;
    return Promise.resolve(DONE);
  }

  callAborted(reason: ParleyError): void {
    this.#end(reason);
  }

  #take(): Envelope {
    const item = this.#queue[this.#head] as Envelope;
    // What was read is let go; the space is given back half a queue at a time.
    if (++this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  #end(error: ParleyError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    this.#head = 0;
    this.#call?.offAbort(this);
    this.#ended();
    const readers = this.#readers;
    this.#readers = [];
    const first = error && readers.shift();
    if (first) first.reject(error);
    else this.#error = error;
    for (const reader of readers) reader.resolve(DONE);
  }
}

function tooSlow(filter: string, lost: number): ParleyError {
  return new ParleyError(
    "data_loss",
    `the subscription to ${filter} was read too slowly: ${lost} publications were lost; subscribe again to go on`,
    {
      details: { lost, filter },
    },
  );
}

import { leave } from "../call/leave.ts";
import type { Envelope } from "../envelope/envelope.ts";
import type { Convert } from "./conversion.ts";
import { isPromise, type Maybe } from "./maybe.ts";

/** What a stream is made from: async or plain iterables. */
export type Items<Item> = AsyncIterable<Item> | Iterable<Item>;

/** What an {@link ItemWriter} makes of items. */
export interface ItemWriterInit {
  readonly write: Convert;
  /** The message for an item. `position` counts from 1. */
  readonly wrap: (data: unknown, position: number) => Envelope;
  /** The error to end with when the user's iterable threw (`items`), or an item does not pass (`check`). Asked once. */
  readonly failed: (thrown: unknown, part: "items" | "check") => Error;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The user's end of a stream that leaves: checks and wraps items one by one, as fast as the transport asks. Leaving it returns the user's
 * iterable.
 */
export class ItemWriter implements AsyncIterableIterator<Envelope, undefined, undefined> {
  readonly #init: ItemWriterInit;
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  #position = 0;
  #done = false;

  /** @throws TypeError when `items` cannot be iterated. */
  constructor(items: Items<unknown>, init: ItemWriterInit) {
    this.#init = init;
    this.#iterator = iterate(items);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope, undefined>> {
    if (this.#done) return Promise.resolve(DONE);
    let result: Maybe<IteratorResult<unknown>>;
    try {
      result = this.#iterator.next();
    } catch (thrown) {
      return Promise.reject(this.#fail(thrown, "items"));
    }
    if (isPromise(result)) return result.then(this.#produced, this.#threw);
    const ready = result;
    return new Promise((resolve) => resolve(this.#produced(ready)));
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#done) {
      this.#done = true;
      leave(this.#iterator);
    }
    return Promise.resolve(DONE);
  }

  readonly #produced = (result: IteratorResult<unknown>): Maybe<IteratorResult<Envelope, undefined>> => {
    if (this.#done || result.done) {
      this.#done = true;
      return DONE;
    }
    const position = ++this.#position;
    const { write, wrap } = this.#init;
    try {
      const data = write(result.value, position);
      if (!isPromise(data)) return { done: false, value: wrap(data, position) };
      return data.then(
        (late) => ({ done: false, value: wrap(late, position) }),
        (thrown: unknown) => this.#refuse(thrown),
      );
    } catch (thrown) {
      return this.#refuse(thrown);
    }
  };

  readonly #threw = (thrown: unknown): never => {
    throw this.#fail(thrown, "items");
  };

  #refuse(thrown: unknown): never {
    leave(this.#iterator);
    throw this.#fail(thrown, "check");
  }

  #fail(thrown: unknown, part: "items" | "check"): Error {
    this.#done = true;
    return this.#init.failed(thrown, part);
  }
}

function iterate(items: Items<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  if (Symbol.asyncIterator in items) return items[Symbol.asyncIterator]();
  return items[Symbol.iterator]();
}

import type { Envelope } from "../envelope/envelope.ts";

/**
 * A caller's items, handed to one attempt after the other for as long as none has asked for an item: what was read once cannot be read
 * again. An attempt that leaves before it has asked leaves them as they were.
 */
export class ReplayableInput implements AsyncIterableIterator<Envelope> {
  readonly #input: AsyncIterable<Envelope>;
  #iterator: AsyncIterator<Envelope> | undefined;

  constructor(input: AsyncIterable<Envelope>) {
    this.#input = input;
  }

  /** Whether an item was asked for. */
  get touched(): boolean {
    return this.#iterator !== undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Envelope>> {
    this.#iterator ??= this.#input[Symbol.asyncIterator]();
    return this.#iterator.next();
  }

  return(): Promise<IteratorResult<Envelope>> {
    const done = { done: true, value: undefined } as const;
    return this.#iterator?.return?.() ?? Promise.resolve(done);
  }
}

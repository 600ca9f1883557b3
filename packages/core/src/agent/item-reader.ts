import type { AbortListener, Call } from "../call/call.ts";
import { type ParleyError, toParleyError } from "../call/error.ts";
import { leave } from "../call/leave.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { isPromise, type Maybe } from "./maybe.ts";

/** What a converter gives for an item that the reader is not to see. */
export const SKIP: unique symbol = Symbol("skip");

/** What an {@link ItemReader} reads, and who wants to know how it ends. */
export interface ItemReaderInit {
  readonly items: AsyncIterable<Envelope>;
  /** Data of an item as its reader gets it. `position` counts from 1. */
  readonly read: (message: Envelope, position: number) => Maybe<unknown>;
  /** Told once, however it ends. */
  readonly ended?: (end: StreamEnd, error?: ParleyError) => void;
}

/** How a stream ended: by itself, by an error from the other side or the call, or because its reader left (with an error: over an item). */
export type StreamEnd = "done" | "failed" | "left";

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The user's end of a stream that arrives: checks and unwraps items one by one. The one async iterator between a transport and a `for
 * await`. It ends with the call, at once, whatever the transport does; asking for several items ahead is answered in order.
 */
export class ItemReader implements AsyncIterableIterator<unknown, undefined, undefined>, AbortListener {
  readonly #call: Call;
  readonly #init: ItemReaderInit;
  readonly #iterator: AsyncIterator<Envelope>;
  #resolve: ((result: IteratorResult<unknown, undefined>) => void) | undefined;
  #reject: ((error: ParleyError) => void) | undefined;
  /** Calls of `next` that are not answered yet; the last of them. */
  #asked = 0;
  #last: Promise<unknown> | undefined;
  #position = 0;
  #ended = false;
  /** Thrown at the next `next`, once. */
  #error: ParleyError | undefined;

  constructor(call: Call, init: ItemReaderInit) {
    this.#call = call;
    this.#init = init;
    this.#iterator = init.items[Symbol.asyncIterator]();
    call.onAbort(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const step = this.#asked++ === 0 ? this.#step() : (this.#last as Promise<unknown>).then(this.#step, this.#step);
    this.#last = step;
    return step;
  }

  /** Leaves the stream. Resolves at once: what the other side still does about it is not waited for. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#error = undefined;
    if (!this.#ended) {
      this.#end("left");
      leave(this.#iterator);
      this.#settle()?.(DONE);
    }
    return Promise.resolve(DONE);
  }

  callAborted(reason: ParleyError): void {
    this.#fail("failed", reason);
    leave(this.#iterator);
  }

  readonly #step = (): Promise<IteratorResult<unknown, undefined>> => {
    if (this.#ended) {
      this.#asked--;
      const error = this.#error;
      this.#error = undefined;
      return error ? Promise.reject(error) : Promise.resolve(DONE);
    }
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#pull();
    });
  };

  #pull(): void {
    this.#iterator.next().then(this.#arrived, this.#broke);
  }

  readonly #arrived = (result: IteratorResult<Envelope>): void => {
    if (this.#ended) return;
    if (result.done) {
      this.#end("done");
      this.#settle()?.(DONE);
      return;
    }
    try {
      const value = this.#init.read(result.value, ++this.#position);
      if (isPromise(value)) value.then(this.#deliver, this.#refuse);
      else this.#deliver(value);
    } catch (thrown) {
      this.#refuse(thrown);
    }
  };

  readonly #deliver = (value: unknown): void => {
    if (this.#ended) return;
    if (value === SKIP) this.#pull();
    else this.#settle()?.({ done: false, value });
  };

  /** The source threw. */
  readonly #broke = (thrown: unknown): void => this.#fail("failed", toParleyError(thrown));

  /** The item cannot be read: the stream is left. */
  readonly #refuse = (thrown: unknown): void => {
    if (this.#ended) return;
    this.#fail("left", toParleyError(thrown));
    leave(this.#iterator);
  };

  #fail(end: StreamEnd, error: ParleyError): void {
    if (this.#ended) return;
    this.#end(end, error);
    const reject = this.#reject;
    this.#settle();
    if (reject) reject(error);
    else this.#error = error;
  }

  #end(end: StreamEnd, error?: ParleyError): void {
    this.#ended = true;
    this.#call.offAbort(this);
    this.#init.ended?.(end, error);
  }

  /** Takes the waiting reader out, if there is one. */
  #settle(): ((result: IteratorResult<unknown, undefined>) => void) | undefined {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#reject = undefined;
    if (resolve) this.#asked--;
    return resolve;
  }
}

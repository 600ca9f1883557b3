import { ParleyError } from "../call/error.ts";
import { leave } from "../call/leave.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { ItemReader } from "./item-reader.ts";
import type { Maybe } from "./maybe.ts";
import { leftEarly, missing, type OpenCall } from "./open-call.ts";

type ReadItem = (message: Envelope, position: number) => Maybe<unknown>;

/** What a client gives for a stream. The call is made when iterating begins; it can be iterated once. */
export class ItemStream implements AsyncIterable<unknown> {
  readonly #type: string;
  readonly #open: () => Maybe<OpenCall>;
  readonly #read: ReadItem;
  #taken = false;

  constructor(type: string, open: () => Maybe<OpenCall>, read: ReadItem) {
    this.#type = type;
    this.#open = open;
    this.#read = read;
  }

  /** @throws ParleyError `failed_precondition` the second time. */
  [Symbol.asyncIterator](): AsyncIterableIterator<unknown, undefined, undefined> {
    if (this.#taken) {
      throw new ParleyError(
        "failed_precondition",
        `this stream of ${this.#type} has been iterated already; call the operation again for another`,
        {
          outcome: "not-sent",
        },
      );
    }
    this.#taken = true;
    return new StreamIterator(this.#type, this.#open, this.#read);
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Opens the call at the first `next`; from then on the {@link ItemReader} answers. */
class StreamIterator implements AsyncIterableIterator<unknown, undefined, undefined> {
  readonly #type: string;
  readonly #open: () => Maybe<OpenCall>;
  readonly #read: ReadItem;
  #opening: Promise<void> | undefined;
  #call: OpenCall | undefined;
  #reader: ItemReader | undefined;
  #over = false;

  constructor(type: string, open: () => Maybe<OpenCall>, read: ReadItem) {
    this.#type = type;
    this.#open = open;
    this.#read = read;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#reader) return this.#reader.next();
    if (this.#over) return Promise.resolve(DONE);
    this.#opening ??= this.#begin();
    return this.#opening.then(() => this.#reader?.next() ?? DONE);
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    if (this.#reader) return this.#reader.return();
    this.#over = true;
    this.#call?.abort(leftEarly);
    return Promise.resolve(DONE);
  }

  async #begin(): Promise<void> {
    try {
      const call = await this.#open();
      this.#call = call;
      if (this.#over) return call.close();
      const { output } = await call.answered();
      if (!output) throw missing(this.#type, "output");
      if (this.#over) return leave(output[Symbol.asyncIterator]());
      this.#reader = new ItemReader(call.call, {
        items: output,
        read: this.#read,
        ended: (end, error) => {
          if (end === "left") call.abort(error ?? leftEarly);
          else call.close();
        },
      });
    } catch (thrown) {
      this.#call?.close();
      // A reader who has left is told of nothing.
      if (this.#over) return;
      this.#over = true;
      throw thrown;
    }
  }
}

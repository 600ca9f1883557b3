import { leave } from "../../call/leave.ts";
import { ParleyError } from "../../transport/index.ts";

/** A part of a request's body. */
export type BodyChunk = string | Uint8Array;

type Result = IteratorResult<BodyChunk, undefined>;

const DONE = { done: true, value: undefined } as const;

/** A request's body on its way out of the caller's stream, which is left as it is until the first part is asked for. */
export class UploadStream implements AsyncIterableIterator<BodyChunk, undefined, undefined> {
  readonly #stream: AsyncIterable<BodyChunk>;
  #source: AsyncIterator<BodyChunk> | undefined;
  /** Whoever waits for the next chunk. */
  #reader: ((result: Result) => void) | undefined;
  #over = false;
  #failure: ParleyError | undefined;

  constructor(stream: AsyncIterable<BodyChunk>) {
    this.#stream = stream;
  }

  /** Why the caller's stream could not be read to its end. */
  get failure(): ParleyError | undefined {
    return this.#failure;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#over) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#reader = resolve;
      this.#read().then(resolve, reject);
    });
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.stop();
    return Promise.resolve(DONE);
  }

  /** The request is over: the stream is told to return, and not waited for. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader?.(DONE);
    if (this.#source) leave(this.#source);
  }

  async #read(): Promise<Result> {
    try {
      this.#source ??= this.#stream[Symbol.asyncIterator]();
      const result = await this.#source.next();
      if (!result.done) return { done: false, value: checkChunk(result.value) };
      this.#over = true;
      return DONE;
    } catch (thrown) {
      this.#failure ??= failureOf(thrown);
      throw thrown;
    }
  }
}

function checkChunk(chunk: BodyChunk): BodyChunk {
  if (typeof chunk === "string" || chunk instanceof Uint8Array) return chunk;
  throw new ParleyError("invalid_argument", `a chunk of the body is a ${typeof chunk}; it must be a string or bytes`, {
    outcome: "unknown",
  });
}

function failureOf(thrown: unknown): ParleyError {
  if (thrown instanceof ParleyError) return thrown;
  return new ParleyError("cancelled", "the stream that was given as the body threw before its end", {
    outcome: "unknown",
    cause: thrown,
  });
}

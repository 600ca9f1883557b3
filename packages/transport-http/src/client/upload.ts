import { type LineSink, LineWriter, type UploadBody, type UploadInit } from "@parley/core/http/client";
import { type Envelope, encode, end, toParleyError } from "@parley/core/transport";

/** Characters that wait for the socket before items are read no further. */
const HIGH_WATER_CHARS = 64 * 1024;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The body of an upload: the opener at once, then items as they become ready, then an explicit end. The socket takes it piece by piece;
 * {@link stop} ends it from outside, even while a piece is waited for.
 */
export class Upload implements UploadBody, AsyncIterableIterator<string, undefined>, LineSink {
  readonly #writer: LineWriter;
  #text: string;
  #ended = false;
  #reader: ((result: IteratorResult<string, undefined>) => void) | undefined;

  constructor({ input, opener, openerLine, runtime, checkSize, failed }: UploadInit) {
    this.#text = `${openerLine}\n`;
    const lineOf = (item: Envelope, seq: number): string => {
      const line = encode(item, { seq });
      checkSize(line);
      return line;
    };
    this.#writer = new LineWriter(input, { runtime, sink: this, lineOf });
    this.#writer.run().then(
      (complete) => {
        if (!complete) return;
        this.write(`${this.#writer.takeRest()}${encode(end(opener, opener.source), { seq: this.#writer.nextSeq })}\n`);
        this.#end();
      },
      (thrown: unknown) => {
        this.stop();
        failed(toParleyError(thrown));
      },
    );
  }

  /** Nobody takes more: the items are told to return, and the body ends as it is. */
  stop(): void {
    this.#writer.stop();
    this.#text = "";
    this.#end();
  }

  write(text: string): boolean {
    if (this.#ended) return false;
    this.#text += text;
    this.#give();
    return this.#text.length < HIGH_WATER_CHARS;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<string, undefined>> {
    return new Promise((resolve) => {
      this.#reader = resolve;
      this.#give();
    });
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.stop();
    return Promise.resolve(DONE);
  }

  #end(): void {
    this.#ended = true;
    this.#give();
  }

  #give(): void {
    const reader = this.#reader;
    if (!reader) return;
    const text = this.#text;
    if (text !== "") {
      this.#reader = undefined;
      this.#text = "";
      reader({ done: false, value: text });
      this.#writer.drained();
    } else if (this.#ended) {
      this.#reader = undefined;
      reader(DONE);
    }
  }
}

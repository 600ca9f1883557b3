import { isUtf8 } from "node:buffer";
import { LineSplitter } from "./line-splitter.ts";

/** How text is written as bytes: `latin1` takes each byte for a character. */
export type StdioEncoding = "utf8" | "latin1";

/** How lines are written. */
export interface LineFormat {
  /** What a line ends with. @default "\n", and a carriage return before it is no part of the line */
  readonly delimiter?: string | undefined;
  /** @default "utf8" */
  readonly encoding?: StdioEncoding | undefined;
}

/** Where lines go. */
export interface TextSink {
  /** One line. `damaged`: bytes that are no text stood where there are replacement characters now. */
  line(text: string, damaged: boolean, bytes: number): void;
  /** The first bytes of a line that is too long; the rest of it is dropped as it comes. */
  tooLong(start: Buffer): void;
}

const RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Reads lines of text, of at most `maxBytes`, from chunks of bytes. A byte order mark at the very start is no part of the first. */
export class TextLines {
  readonly #lines: LineSplitter;
  readonly #sink: TextSink;
  readonly #encoding: StdioEncoding;
  readonly #returns: boolean;
  #first = true;

  constructor(maxBytes: number, sink: TextSink, { delimiter = "\n", encoding = "utf8" }: LineFormat = {}) {
    this.#sink = sink;
    this.#encoding = encoding;
    this.#returns = delimiter === "\n";
    const lines = {
      line: (bytes: Buffer) => this.#line(bytes),
      tooLong: (start: Buffer) => sink.tooLong(start.subarray(this.#startOf(start))),
    };
    this.#lines = new LineSplitter(maxBytes, lines, Buffer.from(delimiter, encoding));
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  /** The input has ended; what stands without a delimiter is a line. */
  end(): void {
    this.#lines.end();
  }

  #line(bytes: Buffer): void {
    const end = this.#returns && bytes[bytes.length - 1] === RETURN ? bytes.length - 1 : bytes.length;
    const text = bytes.toString(this.#encoding, this.#startOf(bytes), end);
    // The replacement character is where bytes that are no UTF-8 were, or was written as such.
    const damaged = this.#encoding === "utf8" && text.includes("\ufffd") && !isUtf8(bytes);
    this.#sink.line(text, damaged, bytes.length);
  }

  #startOf(bytes: Buffer): number {
    const marked = this.#first && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    this.#first = false;
    return marked ? BYTE_ORDER_MARK.length : 0;
  }
}

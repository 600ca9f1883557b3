import { joinBytes, readText } from "@parley/core/http/client";
import { TransportError, utf8Length } from "@parley/core/transport";

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines of bounded length. Blank lines, which are signs of life, are left out. */
export class LineReader {
  readonly #maxLineBytes: number;
  #rest: Uint8Array[] = [];
  #restBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Hands the lines that these bytes complete to `take`, in order.
   * @throws ParleyError `resource_exhausted` for a line over the limit, before more of it is kept; `invalid_argument` when it is not UTF-8;
   * and what `take` throws.
   */
  read(chunk: Uint8Array, take: (line: string) => void): void {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last >= 0) this.#split(readText(this.#complete(chunk.subarray(0, last))), take);
    this.#keep(chunk.subarray(last + 1));
  }

  #complete(end: Uint8Array): Uint8Array {
    if (this.#restBytes === 0) return end;
    const block = joinBytes([...this.#rest, end]);
    this.#rest = [];
    this.#restBytes = 0;
    return block;
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#restBytes += part.length;
    if (this.#restBytes > this.#maxLineBytes) throw this.#tooLong(this.#restBytes);
    this.#rest.push(part);
  }

  #split(text: string, take: (line: string) => void): void {
    for (let start = 0; start <= text.length; ) {
      const newline = text.indexOf("\n", start);
      const stop = newline < 0 ? text.length : newline;
      const line = text.slice(start, stop);
      start = stop + 1;
      // A UTF-16 code unit is at most three bytes of UTF-8.
      if (line.length * 3 > this.#maxLineBytes && utf8Length(line) > this.#maxLineBytes) {
        throw this.#tooLong(utf8Length(line));
      }
      if (line.length > 1 || line.trim() !== "") take(line);
    }
  }

  #tooLong(bytes: number): TransportError {
    return new TransportError(
      "resource_exhausted",
      `a line of ${bytes} bytes or more is over the limit of ${this.#maxLineBytes} bytes a message`,
    );
  }
}

const NEWLINE = Buffer.from("\n");
const NOTHING = Buffer.alloc(0);

/** Where lines go. */
export interface LineSink {
  /** One line without its delimiter. The bytes are only lent: they are valid during the call. */
  line(bytes: Buffer): void;
  /** The first bytes, one over the limit, of a line that is too long; the rest of it is dropped as it comes. */
  tooLong(start: Buffer): void;
}

/** Splits chunks into lines; holds at most one line of `maxBytes`, whatever arrives. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #sink: LineSink;
  /** A single byte as a number, which is found faster. */
  readonly #delimiter: Buffer | number;
  readonly #delimiterBytes: number;
  /** The last bytes that came, with which a delimiter of several may begin. */
  #carried: Buffer = NOTHING;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Within a line that was too long. */
  #skipping = false;

  /** A line ends with `delimiter`, which is not empty. */
  constructor(maxBytes: number, sink: LineSink, delimiter: Buffer = NEWLINE) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
    this.#delimiterBytes = delimiter.length;
    this.#delimiter = delimiter.length === 1 ? delimiter.readUInt8() : delimiter;
  }

  push(piece: Buffer): void {
    const delimiter = this.#delimiter;
    const delimiterBytes = this.#delimiterBytes;
    const chunk = this.#carried.length > 0 ? Buffer.concat([this.#carried, piece]) : piece;
    let start = 0;
    for (let end = chunk.indexOf(delimiter); end !== -1; end = chunk.indexOf(delimiter, start)) {
      this.#add(chunk.subarray(start, end));
      this.#finish();
      start = end + delimiterBytes;
    }
    const kept = Math.max(start, chunk.length - delimiterBytes + 1);
    this.#carried = chunk.subarray(kept);
    if (start < kept) this.#add(chunk.subarray(start, kept));
  }

  /** The input has ended; what stands without a delimiter is a line. */
  end(): void {
    if (this.#carried.length > 0) this.#add(this.#carried);
    this.#carried = NOTHING;
    if (this.#bytes > 0 || this.#skipping) this.#finish();
  }

  #add(part: Buffer): void {
    if (this.#skipping) return;
    const room = this.#maxBytes - this.#bytes;
    this.#parts.push(part.length > room ? part.subarray(0, room + 1) : part);
    this.#bytes += part.length;
    if (part.length <= room) return;
    const line = this.#take();
    this.#skipping = true;
    this.#sink.tooLong(line);
  }

  #finish(): void {
    if (!this.#skipping) this.#sink.line(this.#take());
    this.#skipping = false;
  }

  #take(): Buffer {
    const [first] = this.#parts;
    const line = this.#parts.length === 1 && first ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }
}

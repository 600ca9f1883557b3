/** Keeps the last bytes of a stream, however long that is. */
export class Tail {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Kept small by joining now and then, so that many tiny chunks do not pile up either.
    if (this.#bytes > 2 * this.#maxBytes || this.#chunks.length > 64) this.#join();
  }

  /** The last of it as text, from the start of a line where there is one. */
  text(maxBytes: number = this.#maxBytes): string {
    const all = this.#join();
    if (all.length <= maxBytes) return all.toString();
    const last = all.subarray(-maxBytes);
    return last.subarray(last.indexOf(0x0a) + 1).toString();
  }

  #join(): Buffer {
    const all = Buffer.from(Buffer.concat(this.#chunks).subarray(-this.#maxBytes));
    this.#chunks = [all];
    this.#bytes = all.length;
    return all;
  }
}

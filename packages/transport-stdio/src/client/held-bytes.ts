const NOTHING = Buffer.alloc(0);

/** Bytes that wait, in one piece. Adding takes time for what is added, however small the pieces. */
export class HeldBytes {
  #buffer: Buffer = NOTHING;
  #start = 0;
  #end = 0;

  /** All of it; valid until the next change. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  push(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#move(this.length + chunk.length);
    this.#end += chunk.copy(this.#buffer, this.#end);
  }

  /** Takes the first bytes away. */
  take(count: number): Buffer {
    const taken = Buffer.from(this.bytes.subarray(0, count));
    this.#start += taken.length;
    if (this.#start === this.#end) {
      this.#buffer = NOTHING;
      this.#start = this.#end = 0;
    }
    return taken;
  }

  #move(needed: number): void {
    const buffer = Buffer.allocUnsafe(2 * needed);
    this.#end = this.bytes.copy(buffer);
    this.#start = 0;
    this.#buffer = buffer;
  }
}

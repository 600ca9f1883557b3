const MAX_BYTES = 16 * 1024 * 1024;

/** What one side sent: how much, and the last 16 MiB of it. */
export class Capture {
  #chunks: Buffer[] = [];
  #kept = 0;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(chunk: Buffer): void {
    this.#total += chunk.length;
    this.#kept += chunk.length;
    this.#chunks.push(chunk);
    if (this.#kept > 2 * MAX_BYTES) {
      const all = Buffer.concat(this.#chunks).subarray(-MAX_BYTES);
      this.#chunks = [all];
      this.#kept = all.length;
    }
  }

  all(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }
}

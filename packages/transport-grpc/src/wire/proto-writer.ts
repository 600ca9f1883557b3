/** Bytes of a varint at most, for a 32-bit length. */
const MAX_VARINT = 5;

/**
 * Writes protobuf into one buffer that grows. Fields are written by tag and value; for what is longer than a scalar the caller knows the length
 * first, so nothing is written twice.
 */
export class ProtoWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(initialBytes = 1_024) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** Starts again. */
  reset(): this {
    this.#length = 0;
    return this;
  }

  /** A copy of what has been written. */
  finish(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(bytes, 0, 0, this.#length);
    return bytes;
  }

  byte(value: number): this {
    if (this.#length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  /** A whole number from 0 to 2^32-1. */
  varint(value: number): this {
    if (this.#buffer.length - this.#length < MAX_VARINT) this.#grow(MAX_VARINT);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
    return this;
  }

  /** An int32: negative ones take ten bytes, as the encoding wants it. */
  int32(value: number): this {
    if (value >= 0) return this.varint(value);
    this.#varint64(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  /** An int64 within what a number holds exactly. */
  int64(value: number): this {
    if (value >= 0 && value <= 0xffffffff) return this.varint(value);
    this.#varint64(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  raw(bytes: Uint8Array): this {
    if (this.#buffer.length - this.#length < bytes.length) this.#grow(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Text of so many bytes in UTF-8. */
  text(text: string, bytes: number): this {
    if (this.#buffer.length - this.#length < bytes) this.#grow(bytes);
    if (bytes === text.length) this.#ascii(text, bytes);
    else this.#buffer.write(text, this.#length, bytes, "utf8");
    this.#length += bytes;
    return this;
  }

  /** Short texts are quicker one by one than by a call out of JavaScript. */
  #ascii(text: string, length: number): void {
    if (length > 32) this.#buffer.write(text, this.#length, length, "latin1");
    else {
      const buffer = this.#buffer;
      const at = this.#length;
      for (let n = 0; n < length; n++) buffer[at + n] = text.charCodeAt(n);
    }
  }

  #varint64(value: bigint): void {
    let rest = value;
    while (rest > 0x7fn) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  /** Bytes that the buffer holds, whatever is in it. */
  get capacity(): number {
    return this.#buffer.length;
  }
}

/** Bytes that a length or another number from 0 to 2^32-1 takes. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

import { isUtf8 } from "node:buffer";
import { ValidationError } from "@parley/core/transport";

/** Wire types of protobuf that are read; the two of groups are refused. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/**
 * Reads protobuf from bytes that somebody else wrote. Nothing is built before its length is known to be there, and nothing recurses.
 * All methods throw ValidationError (`invalid_argument`) for what is no protobuf.
 */
export class ProtoReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, start = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** A tag: field number times eight, plus the wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag >>> 3 === 0) throw malformed("has a field of number 0");
    return tag;
  }

  /** The low 32 bits of a varint, unsigned. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw truncated();
      const byte = this.#buffer[this.#at++] as number;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw malformed("has a number of more than ten bytes");
  }

  /** An int64, as a number; exact up to 2^53. */
  int64(): number {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.#at >= this.#end) throw truncated();
      const byte = this.#buffer[this.#at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw malformed("has a number of more than ten bytes");
  }

  /** Reads a length and passes over what has it; returns where it starts. It ends at {@link at}. */
  span(): number {
    const length = this.varint();
    const start = this.#at;
    if (length > this.#end - start) throw truncated();
    this.#at = start + length;
    return start;
  }

  /** A field of bytes, not copied. */
  bytes(): Buffer {
    const start = this.span();
    return this.#buffer.subarray(start, this.#at);
  }

  /** A field of text. */
  text(): string {
    const start = this.span();
    return textOf(this.#buffer, start, this.#at);
  }

  /** Passes over a field of a tag that nobody asked for. */
  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        return this.#pass(8);
      case LENGTH:
        this.span();
        return;
      case FIXED32:
        return this.#pass(4);
      default:
        throw malformed("has a group, which proto3 does not");
    }
  }

  #pass(bytes: number): void {
    if (bytes > this.#end - this.#at) throw truncated();
    this.#at += bytes;
  }
}

/** Text between two places. @throws ValidationError when it is not UTF-8; nothing is replaced by U+FFFD. */
export function textOf(buffer: Buffer, start: number, end: number): string {
  const text = buffer.toString("utf8", start, end);
  // Only where there is one can it stand for what was no UTF-8.
  if (text.includes("\uFFFD") && !isUtf8(buffer.subarray(start, end))) throw malformed("has text that is not UTF-8");
  return text;
}

function truncated(): ValidationError {
  return malformed("ends in the middle of a field");
}

/** The error for bytes that are not the message they should be. */
export function malformed(problem: string): ValidationError {
  const message = `the protobuf message ${problem}`;
  return new ValidationError(message, [{ message, path: [] }], { outcome: "rejected" });
}

import { ProtoReader } from "./proto-reader.ts";
import { type ProtoWriter, varintLength } from "./proto-writer.ts";

/** A google.protobuf.Timestamp. */
export interface ProtoTimestamp {
  /** Since 1970-01-01 UTC. */
  readonly seconds: number;
  /** From 0 to 999,999,999. */
  readonly nanos: number;
}

const MILLISECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** 0001-01-01 and the end of 9999, as google.protobuf.Timestamp bounds it. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;

/** The last time, read or written, to the millisecond: that of the next message is likely to be the same. */
let lastText = "";
let lastTimestamp: ProtoTimestamp | undefined;

/** RFC 3339 text as a timestamp; undefined where {@link formatTimestamp} would not give back the very same text. */
export function parseTimestamp(text: string): ProtoTimestamp | undefined {
  if (text === lastText) return lastTimestamp;
  if (!MILLISECONDS.test(text)) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== text) return undefined;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < MIN_SECONDS) return undefined;
  const timestamp = { seconds, nanos: (ms - seconds * 1_000) * 1_000_000 };
  remember(text, timestamp);
  return timestamp;
}

/** A timestamp as RFC 3339 in UTC, with three digits of a second, or six or nine where it has them; undefined when it is out of bounds. */
export function formatTimestamp({ seconds, nanos }: ProtoTimestamp): string | undefined {
  if (lastTimestamp?.seconds === seconds && lastTimestamp.nanos === nanos) return lastText;
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS || nanos < 0 || nanos > 999_999_999) return undefined;
  if (nanos % 1_000_000 === 0) {
    const exact = new Date(seconds * 1_000 + nanos / 1_000_000).toISOString();
    remember(exact, { seconds, nanos });
    return exact;
  }
  const text = new Date(seconds * 1_000).toISOString();
  const digits = String(nanos)
    .padStart(9, "0")
    .replace(/(?:000){1,2}$/, "");
  return `${text.slice(0, -4)}${digits}Z`;
}

function remember(text: string, timestamp: ProtoTimestamp): void {
  lastText = text;
  lastTimestamp = timestamp;
}

/** Bytes that the message takes. */
export function timestampLength({ seconds, nanos }: ProtoTimestamp): number {
  return (seconds === 0 ? 0 : 1 + int64Length(seconds)) + (nanos === 0 ? 0 : 1 + varintLength(nanos));
}

/** Writes the message, without its length. */
export function writeTimestamp(writer: ProtoWriter, { seconds, nanos }: ProtoTimestamp): void {
  if (seconds !== 0) writer.byte(0x08).int64(seconds);
  if (nanos !== 0) writer.byte(0x10).varint(nanos);
}

/** @throws ValidationError when it is no message */
export function readTimestamp(buffer: Buffer, start: number, end: number): ProtoTimestamp {
  const reader = new ProtoReader(buffer, start, end);
  let seconds = 0;
  let nanos = 0;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) seconds = reader.int64();
    else if (tag === 0x10) nanos = reader.varint() | 0;
    else reader.skip(tag);
  }
  return { seconds, nanos };
}

function int64Length(value: number): number {
  if (value < 0) return 10;
  return value <= 0xffffffff ? varintLength(value) : Math.ceil((Math.floor(Math.log2(value)) + 1) / 7);
}

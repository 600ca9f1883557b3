import {
  type Envelope,
  encodeData,
  encodeHeader,
  type HopAttributes,
  hopAttributes,
  isJsonType,
  isReplaced,
  utf8Length,
  ValidationError,
} from "@parley/core/transport";
import { ProtoWriter, varintLength } from "./proto-writer.ts";
import { parseTimestamp, timestampLength, writeTimestamp } from "./timestamp.ts";

// Tags of io.cloudevents.v1.CloudEvent (CloudEvents Protobuf format 1.0): field number times eight, plus the wire type.
const ID = 0x0a;
const SOURCE = 0x12;
const SPEC_VERSION = 0x1a;
const TYPE = 0x22;
const ATTRIBUTES = 0x2a;
const BINARY_DATA = 0x32;
const TEXT_DATA = 0x3a;
// Of an entry of a map, and of CloudEventAttributeValue.
const KEY = 0x0a;
const VALUE = 0x12;
const CE_BOOLEAN = 0x08;
const CE_INTEGER = 0x10;
const CE_STRING = 0x1a;
const CE_URI = 0x2a;
const CE_URI_REF = 0x32;
const CE_TIMESTAMP = 0x3a;

/** What an attribute that the profile names holds; for text, the tag that says so. */
const known: ReadonlyMap<string, "integer" | "timestamp" | number> = new Map<string, "integer" | "timestamp" | number>([
  ["time", "timestamp"],
  ["expirytime", "timestamp"],
  ["datacontenttype", CE_STRING],
  ["dataschema", CE_URI],
  ["subject", CE_STRING],
  ["correlationid", CE_STRING],
  ["causationid", CE_STRING],
  ["inreplyto", CE_STRING],
  ["seq", "integer"],
  ["count", "integer"],
  ["replyto", CE_URI_REF],
  ["target", CE_URI_REF],
  ["idempotencykey", CE_STRING],
  ["traceparent", CE_STRING],
  ["tracestate", CE_STRING],
  ["partitionkey", CE_STRING],
]);

/** Written apart: at the beginning, at the end, or not at all since they were the last hop's. */
const apart: ReadonlySet<string> = new Set([
  ...["specversion", "parley", "id", "source", "type", "kind", "data"],
  ...hopAttributes,
]);

/** Beyond so many characters or attributes the bounds of an envelope are looked at. */
const FEW_CHARS = 1_024;
const FEW_ATTRIBUTES = 24;

const VISIBLE_ASCII = /^[!-~]+$/;

/** Kept from message to message; one that a large message has made grow is dropped. */
const MAX_SCRATCH_BYTES = 256 * 1024;
let scratch = new ProtoWriter(16 * 1024);

/**
 * The message as an io.cloudevents.v1.CloudEvent. Attributes of the hop that brought it are left out, those in `hop` are written. JSON and
 * text are `text_data`, bytes are `binary_data`.
 * @throws ValidationError `not-sent` for attributes that CloudEvents does not allow, data that JSON cannot carry, and data of a media type
 * other than JSON that is neither text nor bytes.
 */
export function encodeEvent(message: Envelope, hop?: HopAttributes): Buffer {
  const { data } = message;
  if (data === undefined) return encode(message, hop, undefined);
  if (data instanceof Uint8Array) return encode(message, hop, data);
  return encode(message, hop, textOf(message));
}

/** The same with JSON text as data. @throws ValidationError `not-sent` */
export function encodeEventText(message: Envelope, hop: HopAttributes, data: string): Buffer {
  return encode(message, hop, data);
}

function textOf({ data, datacontenttype }: Envelope): string {
  if (isJsonType(datacontenttype)) return encodeData(data);
  if (typeof data === "string" && data.isWellFormed()) return data;
  const problem = `is ${typeof data === "string" ? "text that is not well formed" : "neither text nor bytes"}, as data of type ${datacontenttype?.slice(0, 64)} must be on this wire`;
  throw new ValidationError(`data ${problem}`, [{ message: problem, path: ["data"] }], { outcome: "not-sent" });
}

function encode(message: Envelope, hop: HopAttributes | undefined, data: string | Uint8Array | undefined): Buffer {
  const writer = scratch.reset();
  writer.raw(beginningOf(message));
  const { id } = message;
  // Of everything that is out of the ordinary, the envelope's own codec judges.
  if (id.length > 256 || !VISIBLE_ASCII.test(id)) encodeHeader(message);
  writer.byte(ID).varint(id.length).text(id, id.length);
  writeAttributes(writer, message, hop);
  if (hop) writeHop(writer, hop);
  if (typeof data === "string") {
    const bytes = utf8Length(data);
    writer.byte(TEXT_DATA).varint(bytes).text(data, bytes);
  } else if (data) writer.byte(BINARY_DATA).varint(data.length).raw(data);
  const bytes = writer.finish();
  if (writer.capacity > MAX_SCRATCH_BYTES) scratch = new ProtoWriter(16 * 1024);
  return bytes;
}

/** Bytes that the next message is likely to begin with again, by kind. */
const beginnings = new Map<
  unknown,
  { readonly parley: unknown; readonly source: string; readonly type: string; readonly bytes: Buffer }
>();

/** Source, version, type, profile and kind. */
function beginningOf(message: Envelope): Buffer {
  const { parley, kind, source, type } = message;
  const last = beginnings.get(kind);
  if (last && last.source === source && last.type === type && last.parley === parley) return last.bytes;
  encodeHeader(message);
  const bytes = encodeBeginning(message);
  // The key is of a small set: the check above has seen to that.
  beginnings.set(kind, { parley, source, type, bytes });
  return bytes;
}

/** What every event of one operation, kind and sender begins with. Not checked. */
export function encodeBeginning({ parley, kind, source, type }: Envelope): Buffer {
  const writer = new ProtoWriter();
  writer.byte(SOURCE).varint(source.length).text(source, source.length);
  writer.byte(SPEC_VERSION).varint(3).text("1.0", 3);
  writer.byte(TYPE).varint(type.length).text(type, type.length);
  if (parley !== undefined && parley !== null) writeText(writer, "parley", CE_STRING, parley);
  if (kind !== undefined && kind !== null) writeText(writer, "kind", CE_STRING, kind);
  return writer.finish();
}

function writeAttributes(writer: ProtoWriter, message: Envelope, hop: HopAttributes | undefined): void {
  let checked = false;
  let chars = 0;
  let count = 0;
  const check = (): void => {
    if (!checked) encodeHeader(message);
    checked = true;
  };
  for (const name in message) {
    if (apart.has(name)) continue;
    const value = message[name];
    if (value === undefined || value === null || (hop !== undefined && isReplaced(name, hop))) continue;
    if (typeof value === "string") chars += value.length;
    if (++count > FEW_ATTRIBUTES || chars > FEW_CHARS || !isUsual(name, value)) check();
    writeAttribute(writer, name, value as string | number | boolean);
  }
}

/** Whether it is a known attribute with a value as nearly all are. */
function isUsual(name: string, value: unknown): boolean {
  const holds = known.get(name);
  if (holds === undefined) return false;
  if (holds === "integer") return typeof value === "number" && (value | 0) === value && value > 0;
  if (typeof value !== "string") return false;
  return holds === "timestamp" ? parseTimestamp(value) !== undefined : VISIBLE_ASCII.test(value);
}

function writeAttribute(writer: ProtoWriter, name: string, value: string | number | boolean): void {
  const holds = known.get(name);
  if (typeof value === "number") writeInteger(writer, name, value);
  else if (typeof value === "boolean") writeBoolean(writer, name, value);
  else if (holds === "timestamp") writeTime(writer, name, value);
  else writeText(writer, name, typeof holds === "number" ? holds : CE_STRING, value);
}

function writeHop(writer: ProtoWriter, hop: HopAttributes): void {
  const { call, seq, count, timeoutms, inreplyto, sn, ack, high, session, generation } = hop;
  if (call !== undefined) writeInteger(writer, "call", call);
  if (seq !== undefined) writeInteger(writer, "seq", seq);
  if (count !== undefined) writeInteger(writer, "count", count);
  if (timeoutms !== undefined) writeInteger(writer, "timeoutms", timeoutms);
  if (inreplyto !== undefined) writeText(writer, "inreplyto", CE_STRING, inreplyto);
  if (sn !== undefined) writeInteger(writer, "sn", sn);
  if (ack !== undefined) writeInteger(writer, "ack", ack);
  if (high !== undefined) writeInteger(writer, "high", high);
  if (session !== undefined) writeText(writer, "session", CE_STRING, session);
  if (generation !== undefined) writeInteger(writer, "generation", generation);
}

/** An entry of the map up to its value, which is so long. */
function beginEntry(writer: ProtoWriter, name: string, valueBytes: number): ProtoWriter {
  const entry = 2 + name.length + 1 + varintLength(valueBytes) + valueBytes;
  writer.byte(ATTRIBUTES).varint(entry).byte(KEY).byte(name.length).text(name, name.length);
  return writer.byte(VALUE).varint(valueBytes);
}

function writeText(writer: ProtoWriter, name: string, tag: number, value: string): void {
  const bytes = utf8Length(value);
  beginEntry(writer, name, 1 + varintLength(bytes) + bytes)
    .byte(tag)
    .varint(bytes)
    .text(value, bytes);
}

function writeInteger(writer: ProtoWriter, name: string, value: number): void {
  beginEntry(writer, name, 1 + (value < 0 ? 10 : varintLength(value)))
    .byte(CE_INTEGER)
    .int32(value);
}

function writeBoolean(writer: ProtoWriter, name: string, value: boolean): void {
  beginEntry(writer, name, 2)
    .byte(CE_BOOLEAN)
    .byte(value ? 1 : 0);
}

function writeTime(writer: ProtoWriter, name: string, value: string): void {
  const timestamp = parseTimestamp(value);
  if (!timestamp) return writeText(writer, name, CE_STRING, value);
  const bytes = timestampLength(timestamp);
  beginEntry(writer, name, 1 + varintLength(bytes) + bytes)
    .byte(CE_TIMESTAMP)
    .varint(bytes);
  writeTimestamp(writer, timestamp);
}

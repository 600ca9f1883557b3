import { decodeData, type Envelope, isJsonType, PROFILE, readEvent } from "@parley/core/transport";
import { encodeBeginning } from "./encode-event.ts";
import { malformed, ProtoReader } from "./proto-reader.ts";
import { formatTimestamp, readTimestamp } from "./timestamp.ts";

// Tags of io.cloudevents.v1.CloudEvent: see encode-event.ts.
const ID = 0x0a;
const SOURCE = 0x12;
const SPEC_VERSION = 0x1a;
const TYPE = 0x22;
const ATTRIBUTES = 0x2a;
const BINARY_DATA = 0x32;
const TEXT_DATA = 0x3a;
const PROTO_DATA = 0x42;
const KEY = 0x0a;
const VALUE = 0x12;
const CE_BOOLEAN = 0x08;
const CE_INTEGER = 0x10;
const CE_STRING = 0x1a;
const CE_BYTES = 0x22;
const CE_URI = 0x2a;
const CE_URI_REF = 0x32;
const CE_TIMESTAMP = 0x3a;

/** Deepest nesting of data; the array around several items is not counted. */
const MAX_DEPTH = 64;

/** More than a message can have, with those that a connection writes into it. */
const MAX_ATTRIBUTES = 96;

type Members = Record<string, unknown>;

/** Attributes that nearly every event has, beside those of its beginning. */
const usual: ReadonlyMap<string, "text" | "integer" | "timestamp"> = new Map([
  ["time", "timestamp"],
  ["subject", "text"],
  ["correlationid", "text"],
  ["causationid", "text"],
  ["inreplyto", "text"],
  ["traceparent", "text"],
  ["call", "integer"],
  ["seq", "integer"],
  ["count", "integer"],
  ["timeoutms", "integer"],
  ["sn", "integer"],
  ["ack", "integer"],
]);

const VISIBLE_ID = /^[!-~]{1,256}$/;
const VISIBLE_TEXT = /^[!-~]{1,256}$/;

/**
 * Reads an io.cloudevents.v1.CloudEvent: like the JSON codec of the envelope, of Parley's own all must be right, of others all that CloudEvents
 * allows is taken. Fields that nobody knows are passed over.
 * @throws ValidationError when it is no sound event; ParleyError `failed_precondition` for another version of the profile.
 */
export function decodeEvent(bytes: Buffer): Envelope {
  return (readUsual(bytes) ?? readAny(bytes)) as unknown as Envelope;
}

/** Undefined where there is anything that wants a closer look. */
function readUsual(bytes: Buffer): Members | undefined {
  const beginning = knownBeginning(bytes);
  if (!beginning) return undefined;
  const reader = new ProtoReader(bytes, beginning.bytes.length);
  if (reader.done || reader.tag() !== ID) return undefined;
  const { source, type, kind } = beginning;
  const id = reader.text();
  if (!VISIBLE_ID.test(id)) return undefined;
  const event: Members = { specversion: "1.0", parley: PROFILE, id, source, type, kind };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === ATTRIBUTES) {
      const start = reader.span();
      if (!readUsualAttribute(bytes, start, reader.at, event)) return undefined;
    } else if (tag === TEXT_DATA) {
      const text = reader.text();
      if (!reader.done) return undefined;
      event["data"] = dataOf(text, event);
    } else if (tag === BINARY_DATA) {
      event["data"] = new Uint8Array(reader.bytes());
      if (!reader.done) return undefined;
    } else return undefined;
  }
  // Several items belong into one event only where items do.
  return event["count"] === undefined || (kind === "item" && event["seq"] !== undefined) ? event : undefined;
}

function readUsualAttribute(bytes: Buffer, start: number, end: number, event: Members): boolean {
  const reader = new ProtoReader(bytes, start, end);
  if (reader.tag() !== KEY) return false;
  const from = reader.span();
  const name = bytes.toString("latin1", from, reader.at);
  const holds = usual.get(name);
  if (holds === undefined || event[name] !== undefined || reader.done || reader.tag() !== VALUE) return false;
  const valueStart = reader.span();
  if (!reader.done) return false;
  const value = readValue(bytes, valueStart, end);
  if (holds === "integer") {
    if (typeof value !== "number" || value < 1) return false;
  } else if (typeof value !== "string" || (holds === "text" && !VISIBLE_TEXT.test(value))) return false;
  else if (holds === "timestamp" && bytes[valueStart] !== CE_TIMESTAMP) return false;
  event[name] = value;
  return true;
}

function readAny(bytes: Buffer): Members {
  const reader = new ProtoReader(bytes);
  const attributes = new Map<string, unknown>();
  let text: string | undefined;
  let data: Uint8Array | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    switch (tag) {
      case ID:
        add(attributes, "id", reader.text());
        break;
      case SOURCE:
        add(attributes, "source", reader.text());
        break;
      case SPEC_VERSION:
        add(attributes, "specversion", reader.text());
        break;
      case TYPE:
        add(attributes, "type", reader.text());
        break;
      case ATTRIBUTES: {
        if (attributes.size > MAX_ATTRIBUTES) throw malformed("has too many attributes");
        const start = reader.span();
        readAttribute(bytes, start, reader.at, attributes);
        break;
      }
      case TEXT_DATA:
        text = reader.text();
        data = undefined;
        break;
      case BINARY_DATA:
        data = new Uint8Array(reader.bytes());
        text = undefined;
        break;
      case PROTO_DATA:
        throw malformed("has proto_data, which is not taken: send text_data or binary_data");
      default:
        reader.skip(tag);
    }
  }
  const event = readEvent(Object.fromEntries(attributes)) as unknown as Members;
  remember(bytes, event);
  if (data) event["data"] = data;
  else if (text !== undefined) event["data"] = dataOf(text, event);
  return event;
}

/** @throws ValidationError for an entry that is none */
function readAttribute(bytes: Buffer, start: number, end: number, attributes: Map<string, unknown>): void {
  const reader = new ProtoReader(bytes, start, end);
  let name = "";
  let value: unknown;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === KEY) name = reader.text();
    else if (tag === VALUE) {
      const from = reader.span();
      value = readValue(bytes, from, reader.at);
    } else reader.skip(tag);
  }
  // The envelope's own members are fields here; as attributes they would be a second voice.
  if (name === "data" || name === "data_base64")
    throw malformed(`has an attribute ${name}, which is a field of its own`);
  if (value !== undefined) add(attributes, name, value);
}

function add(attributes: Map<string, unknown>, name: string, value: unknown): void {
  if (attributes.has(name)) throw malformed(`has ${JSON.stringify(name.slice(0, 32))} twice`);
  attributes.set(name, value);
}

/** A CloudEventAttributeValue as it would be in JSON; undefined when it holds nothing. */
function readValue(bytes: Buffer, start: number, end: number): string | number | boolean | undefined {
  const reader = new ProtoReader(bytes, start, end);
  let value: string | number | boolean | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    switch (tag) {
      case CE_STRING:
      case CE_URI:
      case CE_URI_REF:
        value = reader.text();
        break;
      case CE_INTEGER:
        value = reader.varint() | 0;
        break;
      case CE_BOOLEAN:
        value = reader.varint() !== 0;
        break;
      case CE_BYTES:
        value = reader.bytes().toString("base64");
        break;
      case CE_TIMESTAMP: {
        const from = reader.span();
        value = formatTimestamp(readTimestamp(bytes, from, reader.at));
        if (value === undefined) throw malformed("has a timestamp outside of the years 1 to 9999");
        break;
      }
      default:
        reader.skip(tag);
    }
  }
  return value;
}

function dataOf(text: string, { datacontenttype, count }: Members): unknown {
  if (!isJsonType(datacontenttype as string | undefined)) return text;
  return decodeData(text, { maxDepth: typeof count === "number" ? MAX_DEPTH + 1 : MAX_DEPTH });
}

/** What events of one operation, kind and sender begin with. */
interface Beginning extends Readonly<Record<"source" | "type" | "kind", string>> {
  readonly bytes: Buffer;
}

/** Of the latest senders; what they write again and again is read once. */
const beginnings: Beginning[] = [];
const MAX_BEGINNINGS = 16;
const MAX_BEGINNING_BYTES = 640;
let nextPlace = 0;

function knownBeginning(bytes: Buffer): Beginning | undefined {
  for (const beginning of beginnings) {
    const { length } = beginning.bytes;
    // The last bytes tell the kinds apart, and most operations.
    if (bytes.length <= length || bytes[length - 1] !== beginning.bytes[length - 1]) continue;
    if (bytes.compare(beginning.bytes, 0, length, 0, length) === 0) return beginning;
  }
  return undefined;
}

/** @param event has been found sound */
function remember(bytes: Buffer, event: Members): void {
  const { parley, source, type, kind } = event as unknown as Envelope;
  if (parley !== PROFILE || kind === undefined || bytes[0] !== SOURCE) return;
  const beginning = encodeBeginning(event as unknown as Envelope);
  const { length } = beginning;
  if (length > MAX_BEGINNING_BYTES || bytes.length <= length || bytes.compare(beginning, 0, length, 0, length) !== 0)
    return;
  if (knownBeginning(bytes)) return;
  beginnings[nextPlace] = { bytes: beginning, source, type, kind };
  nextPlace = (nextPlace + 1) % MAX_BEGINNINGS;
}

import { isUtf8 } from "node:buffer";
import {
  decode,
  decodeData,
  type Envelope,
  encodeData,
  encodeHeader,
  isJsonType,
  type ParleyError,
  readEvent,
  ValidationError,
} from "@parley/core/transport";

/** Media type of one event in JSON. */
export const EVENT_TYPE = "application/cloudevents+json";
/** Media type of several events, one a line. */
export const EVENTS_TYPE = "application/cloudevents+ndjson";
/** Media type of JSON that is no event. */
export const JSON_TYPE = "application/json";

const BYTES_TYPE = "application/octet-stream";
const TEXT_TYPE = "text/plain";
/** Attributes of the hop that are written only where core put them on the message itself. */
const NOT_COPIED: ReadonlySet<string> = new Set(["data", "datacontenttype", "timeoutms", "credit"]);

/** Names that no user property may give to a member of an event: those of data, and what would become its prototype. */
const NO_ATTRIBUTES: ReadonlySet<string> = new Set(["data", "data_base64", "__proto__"]);

/** What MQTT 5 says about a message beside its payload. */
export interface Description {
  readonly contentType?: string | undefined;
  readonly userProperties?: Readonly<Record<string, string | readonly string[]>> | undefined;
}

/** What a payload held. */
export type Content =
  | { readonly event: Envelope }
  /** No event, but data of somebody who does not know CloudEvents. */
  | { readonly data: unknown; readonly datacontenttype: string | undefined };

/**
 * The message in binary mode (CloudEvents MQTT binding 1.0, 3.1): attributes as user properties, the payload is the data.
 * @throws ValidationError `not-sent`
 */
export function writeBinary(message: Envelope): {
  readonly payload: string | Buffer;
  readonly contentType: string | undefined;
  readonly userProperties: Record<string, string>;
} {
  // Checks the attributes as well.
  encodeHeader(message);
  const userProperties: Record<string, string> = {};
  for (const [name, value] of Object.entries(message)) {
    if (value !== undefined && value !== null && !NOT_COPIED.has(name)) userProperties[name] = String(value);
  }
  return { ...writeData(message.data, message.datacontenttype), userProperties };
}

/** Data as a payload: bytes and text as they are, the rest as JSON. @throws ValidationError `not-sent` */
export function writeData(
  data: unknown,
  datacontenttype: string | undefined,
): { readonly payload: string | Buffer; readonly contentType: string | undefined } {
  // Absent means JSON, in MQTT as in the event.
  if (data === undefined) return { payload: "", contentType: datacontenttype };
  if (data instanceof Uint8Array) return { payload: Buffer.from(data), contentType: datacontenttype ?? BYTES_TYPE };
  if (typeof data === "string" && !isJsonType(datacontenttype)) return { payload: data, contentType: datacontenttype };
  return { payload: encodeData(data), contentType: datacontenttype };
}

/**
 * Reads a payload of anybody: an event in structured or binary mode, else data.
 * @throws ValidationError, ParleyError `failed_precondition` when it says that it is an event and is none
 */
export function readPayload(payload: Buffer, { contentType, userProperties }: Description = {}): Content {
  if (contentType === undefined || contentType === EVENT_TYPE) {
    // What Parleys send each other.
    if (payload[0] === 0x7b && isUtf8(payload)) {
      const text = payload.toString("utf8");
      if (contentType === EVENT_TYPE || text.startsWith('{"specversion"')) return { event: decode(text) };
    } else if (contentType === EVENT_TYPE) throw notReadable("the payload is no JSON object");
  } else if (/^application\/cloudevents\+json\s*(?:;|$)/i.test(contentType)) {
    return { event: decode(textOf(payload)) };
  } else if (/^application\/cloudevents/i.test(contentType)) {
    throw notReadable(`events of type ${contentType.slice(0, 64)} are not read here, only those in JSON`);
  }
  if (userProperties?.["specversion"] !== undefined) return { event: readBinary(payload, contentType, userProperties) };
  return contentType === undefined
    ? guessed(payload)
    : { data: dataOf(payload, contentType), datacontenttype: contentType };
}

function readBinary(
  payload: Buffer,
  contentType: string | undefined,
  userProperties: NonNullable<Description["userProperties"]>,
): Envelope {
  const event: Record<string, unknown> = {};
  for (const name of Object.keys(userProperties)) {
    const value = userProperties[name];
    if (typeof value !== "string") throw notReadable(`the user property ${name.slice(0, 64)} comes twice`);
    if (NO_ATTRIBUTES.has(name)) throw notReadable(`the user property ${name} names no attribute`);
    event[name] = value;
  }
  if (contentType !== undefined) event["datacontenttype"] = contentType;
  if (payload.length > 0) event["data"] = dataOf(payload, contentType ?? JSON_TYPE);
  return readEvent(event);
}

/** What a device sends that does not say what it is: JSON if it is some, else text, else bytes. */
function guessed(payload: Buffer): Content {
  if (payload.length === 0) return { data: undefined, datacontenttype: undefined };
  if (!isUtf8(payload)) return { data: new Uint8Array(payload), datacontenttype: BYTES_TYPE };
  const text = payload.toString("utf8");
  let data: unknown;
  try {
    data = decodeData(text);
  } catch (error) {
    if (looksLikeJson(text)) throw error;
    return { data: text, datacontenttype: TEXT_TYPE };
  }
  if (isRecord(data) && Object.hasOwn(data, "specversion")) return { event: decode(text) };
  return { data, datacontenttype: undefined };
}

/** JSON that breaks a rule (its depth, say) is refused rather than taken for text. */
function looksLikeJson(text: string): boolean {
  return /^\s*[[{]/.test(text);
}

function dataOf(payload: Buffer, contentType: string): unknown {
  if (payload.length === 0) return undefined;
  if (isJsonType(contentType)) return decodeData(textOf(payload));
  return /^text\//i.test(contentType) ? textOf(payload) : new Uint8Array(payload);
}

function textOf(payload: Buffer): string {
  if (isUtf8(payload)) return payload.toString("utf8");
  throw notReadable("the payload is not UTF-8 text");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notReadable(message: string): ParleyError {
  return new ValidationError(message, [{ message, path: [] }], { outcome: "rejected" });
}

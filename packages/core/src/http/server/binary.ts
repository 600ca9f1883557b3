import type { IncomingMessage } from "node:http";
import { decodeData, type Envelope, encodeData, hopAttributes, ParleyError, readEvent } from "../../transport/index.ts";
import { essenceOf, isJson, mediaTypes } from "../wire/media-type.ts";
import { readText } from "../wire/text.ts";

const PREFIX = "ce-";

/**
 * Reads an event whose attributes are `ce-` headers and whose data is the body (CloudEvents HTTP binding 1.0, 3.1).
 * @throws ParleyError `invalid_argument` when an attribute comes twice, or the event is not one.
 */
export function readBinary(request: IncomingMessage, body: Buffer): Envelope {
  // Without a prototype, so that `__proto__` is a name like any other, and refused like any other.
  const event: Record<string, unknown> = Object.create(null);
  const { rawHeaders } = request;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = (rawHeaders[at] as string).toLowerCase();
    if (!header.startsWith(PREFIX)) continue;
    const name = header.slice(PREFIX.length);
    if (name === "data" || name === "data_base64")
      throw refused(`the header ${header} names no attribute; data is the body`);
    if (Object.hasOwn(event, name)) throw refused(`the header ${header} comes twice`);
    event[name] = decoded(name, rawHeaders[at + 1] as string);
  }
  const contentType = request.headers["content-type"];
  if (contentType !== undefined) event["datacontenttype"] = contentType;
  if (body.length > 0) event["data"] = dataOf(essenceOf(contentType), body);
  return readEvent(event);
}

/** The headers and body of an event. Text that headers cannot hold is percent-encoded (3.1.3.2). */
export function writeBinary(message: Envelope): {
  readonly headers: readonly string[];
  readonly body: string | Uint8Array | undefined;
} {
  const { data, datacontenttype, ...attributes } = message;
  const headers = Object.entries(attributes)
    .filter(([name, value]) => value !== undefined && !hopAttributes.has(name))
    .flatMap(([name, value]) => [PREFIX + name, String(value).replace(/[^!#$&-~]/gu, encodeURIComponent)]);
  if (data === undefined) return { headers, body: undefined };
  const body = writeData(data, datacontenttype);
  const type = datacontenttype ?? (typeof body === "string" ? mediaTypes.json : mediaTypes.bytes);
  return { headers: [...headers, "Content-Type", type], body };
}

/** Data as the body of an exchange: bytes and text as they are, the rest as JSON. */
export function writeData(data: unknown, datacontenttype: string | undefined): string | Uint8Array {
  if (data instanceof Uint8Array) return data;
  return typeof data === "string" && !isJson(essenceOf(datacontenttype)) ? data : encodeData(data);
}

function dataOf(essence: string, body: Buffer): unknown {
  if (isJson(essence)) return decodeData(readText(body));
  return essence.startsWith("text/") ? readText(body) : new Uint8Array(body);
}

function decoded(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw refused(`the header ${PREFIX}${name} is not percent-encoded UTF-8`, cause);
  }
}

function refused(message: string, cause?: unknown): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent", cause });
}

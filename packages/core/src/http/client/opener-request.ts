import { MAX_BATCH_ITEMS } from "../../transport/channel/item-batch.ts";
import { MIN_BATCH_MESSAGE_BYTES } from "../../transport/hello.ts";
import type { Call } from "../../transport/index.ts";
import { mediaTypes } from "../wire/media-type.ts";
import type { Link } from "./link.ts";
import type { HttpRequest } from "./socket.ts";
import type { UploadBody } from "./upload-body.ts";

/** Asks for several items in one event of a stream; who does not know the preference leaves it (RFC 7240, 2). */
const BATCHES: readonly string[] = ["prefer", `batch-items=${MAX_BATCH_ITEMS}`];

/** The request that opens a call: its body is the opener, or an upload that begins with it. */
export function openerRequest(link: Link, { kind, message }: Call, body: string | UploadBody): HttpRequest {
  const type = typeof body === "string" ? mediaTypes.structured : mediaTypes.events;
  const headers = ["content-type", type, ...link.wire.headers(kind), ...link.headers];
  const streams = kind === "server-stream" || kind === "bidi-stream";
  if (streams && link.limits.maxMessageBytes >= MIN_BATCH_MESSAGE_BYTES) headers.push(...BATCHES);
  if (message.traceparent !== undefined) {
    headers.push("traceparent", message.traceparent);
    if (message.tracestate !== undefined) headers.push("tracestate", message.tracestate);
  }
  return {
    path: `${link.base}/${encodeURIComponent(message.type)}`,
    method: "POST",
    headers,
    // Any async iterable will do for undici.
    body: body as string,
  };
}

import type { Metadata } from "@grpc/grpc-js";
import { answererItem, type Call, ParleyError, reply } from "@parley/core/transport";
import { headersOf } from "../client/metadata-of.ts";
import { unreachable } from "../client/unreachable.ts";
import type { WireMethod } from "../client/wire-method.ts";
import type { Asked } from "./asked.ts";
import { type ReadDetail, statusError } from "./error-details.ts";
import type { ServiceMethod } from "./service-method.ts";

/** What an attempt at a call is written with, beside what is asked. */
export interface Attempt {
  readonly metadata: Metadata;
  readonly url: URL;
  readonly connectTimeoutMs: number | undefined;
  /** Sender of the answers, as messages have it. */
  readonly source: string;
  readonly readDetail: ReadDetail | undefined;
}

/** A call of any service's method. @throws ParleyError `invalid_argument` when the request is not the method's */
export function serviceWire(ask: Asked, { kind, message }: Call, attempt: Attempt): WireMethod {
  const { method, options } = ask;
  const { onHeaders, onTrailers } = options;
  const { url, metadata, connectTimeoutMs, source, readDetail } = attempt;
  const uploads = kind === "client-stream" || kind === "bidi-stream";
  const streams = kind === "server-stream" || kind === "bidi-stream";
  return {
    path: `/${method.name}`,
    metadata,
    connectTimeoutMs,
    opener: uploads ? undefined : written(method, message.data),
    encode: ({ data }) => written(method, data),
    decode(bytes, seq) {
      const data = method.deserialize(bytes);
      return streams ? answererItem(message, source, seq, data) : reply(message, source, data);
    },
    errorOf(status, sent) {
      const error = statusError(status, sent, readDetail);
      return !sent && error.code === "unavailable" ? unreachable(error, url) : error;
    },
    leaving() {
      ask.sent = true;
    },
    ...(onHeaders && { answering: (received) => onHeaders(headersOf(received)) }),
    ...(onTrailers && { ended: (status) => onTrailers(headersOf(status.metadata)) }),
  };
}

function written(method: ServiceMethod, data: unknown): Buffer {
  try {
    return method.serialize(data);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ParleyError("invalid_argument", `the message does not fit ${method.name}: ${why}`, {
      outcome: "not-sent",
      cause,
    });
  }
}

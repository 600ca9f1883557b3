import { type ClientWire, type HttpConnection, mediaTypes } from "@parley/core/http/client";
import type { CallKind, ConnectOptions } from "@parley/core/transport";
import { SESSION_HEADER } from "../channel-type.ts";
import { EVENT_STREAM } from "../event-stream.ts";
import { eventReader } from "./event-reader.ts";
import { StandingChannel } from "./standing-channel.ts";
import { StreamResumption } from "./stream-resumption.ts";

const SINGLE: readonly string[] = ["accept", `${mediaTypes.structured}, ${EVENT_STREAM}`];
const STREAM: readonly string[] = ["accept", EVENT_STREAM];
const RESUMABLE: readonly string[] = [...STREAM, "prefer", "resume"];

/**
 * SSE as the dialling side speaks it.
 * @param windowMs how long a stream that was cut is tried to be taken up.
 */
export function sseClientWire(
  connection: HttpConnection,
  windowMs: number,
  heartbeatMs: number,
  options: ConnectOptions,
): ClientWire {
  let window = 0;
  let channel: StandingChannel | undefined;
  return {
    streamType: EVENT_STREAM,
    accept: SINGLE,
    headers(kind) {
      const headers = headersOf(kind, window > 0);
      const session = channel?.session;
      return session === undefined ? headers : [...headers, SESSION_HEADER, session];
    },
    reader: eventReader,
    resumes: (kind) => window > 0 && isResumable(kind),
    resume: (link, stream) => new StreamResumption(link, stream, window),
    meet(_hello, data) {
      window = Math.min(windowMs, offeredWindow(data));
      const { handler } = options;
      if (!handler || (data as { readonly channel?: unknown }).channel !== true) return;
      channel = new StandingChannel(connection, handler, heartbeatMs, options);
      return channel.open();
    },
    async close(closeOptions) {
      await channel?.close(closeOptions);
    },
  };
}

function headersOf(kind: CallKind, resumes: boolean): readonly string[] {
  if (isResumable(kind)) return resumes ? RESUMABLE : STREAM;
  switch (kind) {
    case "client-stream":
    case "bidi-stream":
      return STREAM;
    default:
      return SINGLE;
  }
}

function isResumable(kind: CallKind): boolean {
  return kind === "server-stream" || kind === "subscribe";
}

/** How long the peer keeps a stream for its reader, ms; 0 when it does not say. */
function offeredWindow(data: unknown): number {
  const { resume } = (data ?? {}) as { readonly resume?: { readonly windowms?: unknown } };
  const windowMs = resume?.windowms;
  return typeof windowMs === "number" && windowMs > 0 ? windowMs : 0;
}

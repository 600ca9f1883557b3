import type { IncomingMessage } from "node:http";
import {
  binaryFormat,
  type Exchange,
  type Format,
  mediaTypes,
  modeOf,
  plainFormat,
  refuseExchange,
  type SingleMode,
  type Wire,
} from "@parley/core/http";
import { type CallKind, type Runtime, systemRuntime } from "@parley/core/transport";
import { CHANNEL } from "../channel-type.ts";
import { EVENT_STREAM } from "../event-stream.ts";
import { RESUME_WINDOW_MS } from "../limits.ts";
import type { SseHandlerOptions } from "../options.ts";
import { Downlinks, NO_FRAMES } from "./downlinks.ts";
import { oneEventFormat, plainStreamFormat, streamFormat } from "./event-format.ts";
import { NOT_ACCEPTED, readStream } from "./read-stream.ts";
import { Replay } from "./replay.ts";
import { ReplayBook, type ReplayBounds } from "./replay-book.ts";

/** Whether a request is meant for SSE where HTTP is served too: who sent it reads event streams. */
export function isForSse({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes(EVENT_STREAM) === true;
}

/**
 * SSE as the answering side speaks it.
 * @param bounds what is kept for readers who were cut, at most.
 */
export function sseWire(
  { resumeWindowMs = RESUME_WINDOW_MS }: SseHandlerOptions,
  runtime: Runtime = systemRuntime,
  bounds?: ReplayBounds,
): Wire {
  const book = new ReplayBook(runtime, resumeWindowMs, () => unguessable(runtime), bounds);
  const downlinks = new Downlinks(() => unguessable(runtime));
  return {
    transport: "sse",
    offer: { resume: { windowms: resumeWindowMs }, channel: true },
    formatOf,
    stream: (endpoint, exchange, items, init) =>
      isResumable(exchange) ? book.open((id) => new Replay(id, endpoint, book, exchange, items, init)) : undefined,
    read(endpoint, exchange, target, query) {
      if (!isForSse(exchange.request)) refuseExchange(endpoint, exchange, NOT_ACCEPTED);
      else if (target?.named === CHANNEL) downlinks.open(endpoint, exchange);
      else readStream({ endpoint, book, exchange, target, query });
    },
    post(endpoint, exchange, { named }) {
      if (named !== CHANNEL) return false;
      if (modeOf(exchange.request.headers) !== "upload") refuseExchange(endpoint, exchange, NO_FRAMES);
      else downlinks.take(endpoint, exchange);
      return true;
    },
    peer(endpoint, request) {
      // Whoever asks the next thing on a connection has read the last answer on it.
      book.received(request.socket);
      return downlinks.peer(endpoint, request);
    },
    drain(options) {
      book.drain();
      return downlinks.close(options);
    },
    close: () => book.close(),
  };
}

function formatOf({ request }: Exchange, mode: SingleMode, kind: CallKind): Format {
  if (kind === "server-stream" || kind === "bidi-stream" || kind === "subscribe") {
    return mode === "plain" ? plainStreamFormat : streamFormat;
  }
  const { accept = "*/*" } = request.headers;
  const readsJson = accept.includes("*/*") || accept.includes("application/*");
  if (mode === "plain") return readsJson || accept.includes(mediaTypes.json) ? plainFormat : oneEventFormat;
  if (!readsJson && !accept.includes(mediaTypes.structured)) return oneEventFormat;
  return mode === "binary" ? { ...streamFormat, reply: binaryFormat.reply, error: binaryFormat.error } : streamFormat;
}

/** A GET is one by nature (EventSource comes back by itself), a POST when its sender says so (RFC 7240). */
function isResumable({ request }: Exchange): boolean {
  return request.method === "GET" || /(?:^|,)\s*resume\s*(?:,|$)/.test((request.headers["prefer"] as string) ?? "");
}

/** A name of 128 bits that nobody guesses. */
function unguessable(runtime: Runtime): string {
  const bytes = new Uint8Array(16);
  runtime.randomBytes(bytes);
  return Buffer.from(bytes).toString("base64url");
}

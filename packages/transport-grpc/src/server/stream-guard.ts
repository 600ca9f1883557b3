import { constants, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import type { Runtime } from "@parley/core/transport";
import { methodPaths } from "../wire/methods.ts";

const TIMEOUT = "grpc-timeout";

/** `TimeoutValue TimeoutUnit` of gRPC over HTTP/2: at most eight digits. */
const TIMEOUT_SHAPE = /^(\d{1,8})([HMSmun])$/;

/** Seconds in the units that can be too long. */
const LONG_UNITS: Readonly<Record<string, number>> = { H: 3_600, M: 60, S: 1 };

/** What a timer holds: 2^31 - 1 ms. */
const MAX_TIMEOUT_SECONDS = 2_147_483;

/** Time that a caller whose upload was answered has to end it. */
const UPLOAD_END_MS = 1_000;

const uploads: ReadonlySet<unknown> = new Set([methodPaths["client-stream"], methodPaths["bidi-stream"]]);

/**
 * Sees each stream before gRPC's library does, for what that gets wrong: timeouts of over 24 days, which it takes for none or for negative
 * ones, timeouts that are malformed and hold a good one, and uploads that go on after they were answered, which it leaves open for good.
 */
export function guardStreams(server: Server, runtime: Runtime): void {
  // The library has no public name for its HTTP/2 server; the tests of what is guarded against tell should it lose this one.
  const { http2Servers } = server as unknown as { readonly http2Servers: ReadonlyMap<Http2Server, unknown> };
  for (const http2Server of http2Servers.keys()) {
    http2Server.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      if (TIMEOUT in headers) headers[TIMEOUT] = boundedTimeout(headers[TIMEOUT]);
      if (uploads.has(headers[":path"])) endOnceAnswered(stream, runtime);
    });
  }
}

/** A timeout as the library can read it, or what it refuses. */
export function boundedTimeout(timeout: unknown): string {
  const [, digits, unit = ""] = TIMEOUT_SHAPE.exec(String(timeout)) ?? [];
  if (digits === undefined) return "malformed";
  const seconds = Number(digits) * (LONG_UNITS[unit] ?? 0);
  return seconds > MAX_TIMEOUT_SECONDS ? `${MAX_TIMEOUT_SECONDS}S` : `${digits}${unit}`;
}

/** Asks a caller to stop whose call is over (RFC 9113, 8.1). */
function endOnceAnswered(stream: ServerHttp2Stream, runtime: Runtime): void {
  stream.once("finish", () => {
    const cancelTimer = runtime.setTimer(() => stream.close(constants.NGHTTP2_NO_ERROR), UPLOAD_END_MS);
    stream.once("close", cancelTimer);
  });
}

import {
  checkFetchHeaders,
  dialHttp,
  fetchSocket,
  HEARTBEAT_MS,
  type WebCallOptions,
  webCallOptionNames,
} from "@parley/core/http/client";
import { type DialTransport, knownOptions, type OptionNames, refuseInBrowser } from "@parley/core/transport";
import { originOf } from "../address.ts";
import { sseClientWire } from "../client/sse-client-wire.ts";
import { RESUME_WINDOW_MS, sseLimits } from "../limits.ts";
import { manifestWith } from "../manifest.ts";

/** Options of {@link sse} in a browser. */
export interface SseOptions extends WebCallOptions {
  /** How long a stream that was cut is tried to be taken up, at most what the peer offers, ms. @default 30_000 */
  readonly resumeWindowMs?: number | undefined;
}

/**
 * Server-Sent Events by `fetch`, `sse:` and `sses:`. It dials; whom it dials has to admit the page's origin (its option `allowedOrigins`)
 * unless the page is its own.
 * @throws ParleyError `invalid_argument` for options and headers that are of no effect in a browser
 */
export function sse(options: SseOptions = {}): DialTransport {
  const { headers, limits = sseLimits, resumeWindowMs = RESUME_WINDOW_MS, heartbeatMs = HEARTBEAT_MS } = options;
  refuseInBrowser("sse", options);
  knownOptions("sse()", options, optionNames);
  checkFetchHeaders(headers);
  return {
    name: "sse",
    schemes: ["sse", "sses"],
    manifest: manifestWith(limits),
    connect: (url, connectOptions = {}) =>
      dialHttp(url, options, connectOptions, {
        open: () => fetchSocket(originOf(url)),
        wire: (connection) => sseClientWire(connection, resumeWindowMs, heartbeatMs, connectOptions),
      }),
  };
}

const optionNames: OptionNames<SseOptions> = { ...webCallOptionNames, resumeWindowMs: true };

import { Endpoint, listenHttp, socketOptions, webOptionNames } from "@parley/core/http";
import { dialHttp, HEARTBEAT_MS } from "@parley/core/http/client";
import { knownOptions, type OptionNames, type Transport, withCertificate } from "@parley/core/transport";
import { isSecure, originOf } from "./address.ts";
import { openSocket } from "./client/open-socket.ts";
import { sseClientWire } from "./client/sse-client-wire.ts";
import { RESUME_WINDOW_MS, sseLimits } from "./limits.ts";
import { manifestWith } from "./manifest.ts";
import type { SseOptions } from "./options.ts";
import { isForSse, sseWire } from "./server/sse-wire.ts";

/**
 * Server-Sent Events, `sse:` and `sses:`: calls are HTTP requests, streams are answered as event streams that browsers read and that are
 * taken up again after a cut. Shares a port with `http:` and `https:`.
 * @throws ParleyError `invalid_argument` for an option that there is not
 */
export function sse(options: SseOptions = {}): Transport {
  knownOptions("sse()", options, optionNames);
  const { resumeWindowMs = RESUME_WINDOW_MS, heartbeatMs = HEARTBEAT_MS } = options;
  return {
    name: "sse",
    schemes: ["sse", "sses"],
    manifest: manifestWith(options.limits ?? sseLimits),
    connect: (url, connectOptions = {}) =>
      dialHttp(url, options, connectOptions, {
        open: (connectTimeoutMs) =>
          openSocket(originOf(url), socketOptions(withCertificate(options.tls, options.credentials), connectTimeoutMs)),
        wire: (connection) => sseClientWire(connection, resumeWindowMs, heartbeatMs, connectOptions),
      }),
    listen: (url, handler, listenOptions = {}) =>
      listenHttp(url, new Endpoint(handler, sseWire(options, listenOptions.runtime), options, listenOptions), options, {
        secure: isSecure(url),
        claims: isForSse,
      }),
  };
}

const optionNames: OptionNames<SseOptions> = { ...webOptionNames, resumeWindowMs: true };

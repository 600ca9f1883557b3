import { dialHttp, Endpoint, HEARTBEAT_MS, listenHttp, socketOptions } from "@parley/core/http";
import { type Limits, type Manifest, type Transport, withCertificate } from "@parley/core/transport";
import { openSocket } from "./client/open-socket.ts";
import { sseClientWire } from "./client/sse-client-wire.ts";
import { RESUME_WINDOW_MS, type SseOptions, sseLimits } from "./options.ts";
import { isForSse, sseWire } from "./server/sse-wire.ts";

/**
 * Server-Sent Events, `sse:` and `sses:`: calls are HTTP requests, streams are answered as event streams that browsers read and that are
 * taken up again after a cut. Shares a port with `http:` and `https:`.
 */
export function sse(options: SseOptions = {}): Transport {
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

function isSecure({ protocol }: URL): boolean {
  return protocol === "sses:";
}

/** What HTTP calls the address. */
function originOf(url: URL): string {
  return `${isSecure(url) ? "https" : "http"}://${url.host}`;
}

function manifestWith(limits: Limits): Manifest {
  return {
    kinds: {
      notify: "native",
      request: "native",
      "server-stream": "native",
      "client-stream": "emulated",
      "bidi-stream": "emulated",
      publish: "emulated",
      subscribe: "native",
    },
    delivery: "at-most-once",
    cancel: "peer",
    backpressure: "stream",
    ordering: "call",
    resume: "session",
    duplicates: false,
    gaps: false,
    serverInitiated: true,
    wildcards: true,
    lateSubscriber: "nothing",
    limits,
    broker: null,
  };
}

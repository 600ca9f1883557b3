import { dialHttp, Endpoint, listenHttp, socketOptions } from "@parley/core/http";
import { type Limits, type Manifest, type Transport, withCertificate } from "@parley/core/transport";
import { httpClientWire } from "./client/http-client-wire.ts";
import { openSocket } from "./client/open-socket.ts";
import { type HttpOptions, httpLimits } from "./options.ts";
import { httpWire } from "./server/http-wire.ts";

/** HTTP/1.1, `http:` and `https:`: every call is a request of its own, open to any HTTP client. */
export function http(options: HttpOptions = {}): Transport {
  return {
    name: "http",
    schemes: ["http", "https"],
    manifest: manifestWith(options.limits ?? httpLimits),
    connect: (url, connectOptions = {}) =>
      dialHttp(url, options, connectOptions, {
        open: (connectTimeoutMs) =>
          openSocket(url.origin, socketOptions(withCertificate(options.tls, options.credentials), connectTimeoutMs)),
        wire: (connection) => httpClientWire(connection, options.batch ?? false),
      }),
    listen: (url, handler, listenOptions) =>
      listenHttp(url, new Endpoint(handler, httpWire, options, listenOptions), options, {
        secure: url.protocol === "https:",
      }),
  };
}

function manifestWith(limits: Limits): Manifest {
  return {
    kinds: {
      notify: "native",
      request: "native",
      "server-stream": "native",
      "client-stream": "native",
      "bidi-stream": "native",
      publish: "emulated",
      subscribe: "emulated",
    },
    delivery: "at-most-once",
    cancel: "peer",
    backpressure: "stream",
    ordering: "call",
    resume: "none",
    duplicates: false,
    gaps: false,
    serverInitiated: false,
    wildcards: true,
    lateSubscriber: "nothing",
    limits,
    broker: null,
  };
}

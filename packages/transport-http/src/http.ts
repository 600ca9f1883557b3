import type { Limits, Manifest, Transport } from "@parley/core/transport";
import { dial } from "./client/dial.ts";
import { type HttpOptions, httpLimits } from "./options.ts";
import { listen } from "./server/listen.ts";

/** HTTP/1.1, `http:` and `https:`: every call is a request of its own, open to any HTTP client. */
export function http(options: HttpOptions = {}): Transport {
  return {
    name: "http",
    schemes: ["http", "https"],
    manifest: manifestWith(options.limits ?? httpLimits),
    connect: (url, connectOptions = {}) => dial(url, options, connectOptions),
    listen: (url, handler, listenOptions = {}) => listen(url, handler, options, listenOptions),
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

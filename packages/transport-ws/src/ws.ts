import { channelLimits, type Limits, type Manifest, type Transport } from "@parley/core/transport";
import { dial } from "./dial.ts";
import { listen } from "./listen.ts";
import type { WsOptions } from "./options.ts";

/** WebSocket, `ws:` and `wss:`: all kinds of call over one connection, in both directions. */
export function ws(options: WsOptions = {}): Transport {
  return {
    name: "ws",
    schemes: ["ws", "wss"],
    manifest: manifestWith(options.limits ?? channelLimits),
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
    ordering: "connection",
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

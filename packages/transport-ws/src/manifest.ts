import type { Limits, Manifest } from "@parley/core/transport";

/** What a WebSocket promises, whoever dials. */
export function manifestWith(limits: Limits): Manifest {
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

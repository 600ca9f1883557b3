import type { Limits, Manifest } from "@parley/core/transport";

/** What SSE promises, whoever dials. */
export function manifestWith(limits: Limits): Manifest {
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

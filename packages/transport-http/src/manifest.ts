import type { Limits, Manifest } from "@parley/core/transport";

/** What HTTP promises. @param uploads how the caller's items go: with the request, or by requests of their own. */
export function manifestWith(limits: Limits, uploads: "native" | "emulated"): Manifest {
  return {
    kinds: {
      notify: "native",
      request: "native",
      "server-stream": "native",
      "client-stream": uploads,
      "bidi-stream": uploads,
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

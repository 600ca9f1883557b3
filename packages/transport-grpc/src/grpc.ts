import { knownOptions, type Manifest, type OptionNames, type Transport } from "@parley/core/transport";
import { dial } from "./client/dial.ts";
import { type GrpcOptions, limitsOf } from "./options.ts";
import { listen } from "./server/listen.ts";

/**
 * gRPC, `grpc:` and `grpcs:`: native methods for any gRPC peer, one stream for all calls between Parleys.
 * @throws ParleyError `invalid_argument` for an option that there is not
 */
export function grpc(options: GrpcOptions = {}): Transport {
  knownOptions("grpc()", options, optionNames);
  return {
    name: "grpc",
    schemes: ["grpc", "grpcs"],
    manifest: manifestOf(options),
    connect: (url, connectOptions = {}) => dial(url, options, connectOptions),
    listen: (url, handler, listenOptions = {}) => listen(url, handler, options, listenOptions),
  };
}

const optionNames: OptionNames<GrpcOptions> = {
  heartbeatMs: true,
  helloTimeoutMs: true,
  maxQueuedChars: true,
  limits: true,
  channel: true,
  resumeWindowMs: true,
  credentials: true,
  headers: true,
  tls: true,
  keepaliveMs: true,
  foreignTimeoutMs: true,
  maxConnections: true,
  maxSessionMemoryMb: true,
  exposed: true,
};

function manifestOf(options: GrpcOptions): Manifest {
  const { channel = true } = options;
  return {
    kinds: {
      notify: "native",
      request: "native",
      "server-stream": "native",
      "client-stream": "native",
      "bidi-stream": "native",
      publish: "native",
      subscribe: "native",
    },
    delivery: "at-most-once",
    cancel: "peer",
    backpressure: "stream",
    // Each native call is a stream of its own; HTTP/2 keeps no order among them.
    ordering: channel ? "connection" : "call",
    // Between Parleys: native calls end with their connection.
    resume: channel ? "session" : "none",
    duplicates: false,
    gaps: false,
    serverInitiated: channel,
    wildcards: true,
    lateSubscriber: "nothing",
    limits: limitsOf(options),
    broker: null,
  };
}

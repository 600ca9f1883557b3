import type { Metadata } from "@grpc/grpc-js";
import { type Call, type Runtime, timeLeft } from "@parley/core/transport";
import { decodeEvent } from "../wire/decode-event.ts";
import { encodeEvent } from "../wire/encode-event.ts";
import { methodPaths } from "../wire/methods.ts";
import { SeqCheck } from "../wire/seq-check.ts";
import { errorOf } from "../wire/status.ts";
import type { WireMethod } from "./wire-method.ts";

/** A call of the published service: events, by the method for their kind. @throws ParleyError when it cannot be sent */
export function parleyMethod(call: Call, metadata: Metadata, runtime: Runtime): WireMethod {
  const { kind, message } = call;
  const streams = kind === "server-stream" || kind === "bidi-stream" || kind === "subscribe";
  const order = streams ? new SeqCheck() : undefined;
  return {
    path: methodPaths[kind],
    metadata: traced(call, metadata),
    opener: encodeEvent(message, { timeoutms: timeLeft(call, runtime) }),
    encode: (item, seq) => encodeEvent(item, { seq }),
    decode(bytes) {
      const event = decodeEvent(bytes);
      order?.next(event);
      return event;
    },
    errorOf,
  };
}

/** The trace is where meshes look for it, too. */
function traced({ message: { traceparent, tracestate } }: Call, metadata: Metadata): Metadata {
  if (traceparent === undefined) return metadata;
  const copy = metadata.clone();
  copy.set("traceparent", traceparent);
  if (tracestate !== undefined) copy.set("tracestate", tracestate);
  return copy;
}

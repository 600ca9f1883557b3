import type { Metadata } from "@grpc/grpc-js";
import { type CallKind, type Envelope, ParleyError, TransportError } from "@parley/core/transport";
import { decodeEvent } from "../wire/decode-event.ts";
import type { Desk } from "./desk.ts";

/**
 * Reads the event that opens a call.
 * @throws ParleyError `invalid_argument` for what is no event or opens a call of another kind, `resource_exhausted` for one over the limit
 */
export function readOpener(bytes: Buffer, kind: CallKind, metadata: Metadata, maxMessageBytes: number): Envelope {
  const message = withTrace(decodeSized(bytes, maxMessageBytes), metadata);
  if (message.kind === kind) return message;
  if (message.kind === undefined) return { ...message, kind };
  throw new ParleyError(
    "invalid_argument",
    `the event says kind ${message.kind}, and this method opens a ${kind}; leave the attribute out, or call the method of its kind`,
    { outcome: "not-sent" },
  );
}

/** @throws ParleyError `invalid_argument`, `resource_exhausted` */
export function decodeSized(bytes: Buffer, maxMessageBytes: number): Envelope {
  if (bytes.length <= maxMessageBytes) return decodeEvent(bytes);
  throw new TransportError(
    "resource_exhausted",
    `a message of ${bytes.length} bytes is over the limit of ${maxMessageBytes} bytes`,
    { outcome: "not-sent" },
  );
}

/**
 * When the call must be over, on the runtime's clock: what the event says or what gRPC says, whichever is sooner. Callers without Parley who
 * say neither get a while for what has one answer; streams of answers may go on.
 * @param native by the clock that gRPC goes by, which is the process's own
 */
export function deadlineOf(
  { kind, timeoutms, parley }: Envelope,
  native: Date | number,
  { runtime, foreignTimeoutMs }: Pick<Desk, "runtime" | "foreignTimeoutMs">,
): number | undefined {
  const left = Math.min(timeoutms ?? Number.POSITIVE_INFINITY, Number(native) - Date.now());
  if (left !== Number.POSITIVE_INFINITY) return runtime.now() + left;
  if (parley !== undefined || kind === "server-stream" || kind === "bidi-stream" || kind === "subscribe")
    return undefined;
  return foreignTimeoutMs === Number.POSITIVE_INFINITY ? undefined : runtime.now() + foreignTimeoutMs;
}

/** W3C Trace Context, 3.2. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** What an attribute can hold. */
const VISIBLE = /^[!#$&-[\]-~]{1,512}$/;

/** The event with the trace of the call's metadata, if there is one: meshes on the way continue the trace there. */
function withTrace(message: Envelope, metadata: Metadata): Envelope {
  const [traceparent] = metadata.get("traceparent");
  if (typeof traceparent !== "string" || !TRACEPARENT.test(traceparent)) return message;
  const [tracestate] = metadata.get("tracestate");
  const { tracestate: _replaced, ...rest } = message;
  return {
    ...rest,
    traceparent,
    ...(typeof tracestate === "string" && VISIBLE.test(tracestate) ? { tracestate } : {}),
  } as Envelope;
}

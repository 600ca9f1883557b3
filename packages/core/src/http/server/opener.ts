import type { IncomingMessage } from "node:http";
import {
  type CallKind,
  callKinds,
  createEnvelope,
  decode,
  decodeData,
  type Envelope,
  ParleyError,
  type Runtime,
} from "../../transport/index.ts";
import { mediaTypes } from "../wire/media-type.ts";
import { readText } from "../wire/text.ts";
import { readBinary } from "./binary.ts";
import { checkCopies, withTrace } from "./copies.ts";
import type { NamedOperation } from "./description.ts";

/** Source of messages whose senders do not say who they are. */
const ANONYMOUS = "/anonymous";

/**
 * Reads the event that opens a call, from the body of a request in structured or binary mode.
 * @throws ParleyError `invalid_argument`
 */
export function readOpener(
  request: IncomingMessage,
  body: Buffer,
  mode: "structured" | "binary",
  type: string,
): Envelope {
  const message = mode === "structured" ? decode(readText(body)) : readBinary(request, body);
  checkCopies(message, type, request.headers);
  return withTrace(message, request.headers);
}

/**
 * Wraps the data of a caller without CloudEvents.
 * @param subject the topic or filter, for operations that are topics.
 * @throws ParleyError `invalid_argument`
 */
export function wrapData(
  request: IncomingMessage,
  body: Buffer,
  { type, kind }: NamedOperation,
  subject: string | undefined,
  runtime: Runtime,
): Envelope {
  const text = readText(body);
  const message = createEnvelope(
    {
      type,
      kind,
      source: ANONYMOUS,
      ...(subject === undefined ? {} : { subject }),
      ...(text.trim() === "" ? {} : { data: decodeData(text) }),
    },
    runtime,
  );
  return withTrace(message, request.headers);
}

/**
 * The kind of call that an event opens; undefined for a foreign CloudEvent, which does not say.
 * @throws ParleyError `invalid_argument` when it opens none.
 */
export function openedKind({ kind }: Envelope): CallKind | undefined {
  if (kind === undefined) return undefined;
  if (!callKinds.includes(kind as CallKind)) {
    throw new ParleyError("invalid_argument", `a message of kind ${kind} follows a call and does not open one`, {
      outcome: "not-sent",
    });
  }
  return kind as CallKind;
}

/** Whether its caller sends a stream. */
export function hasInput(kind: CallKind): boolean {
  return kind === "client-stream" || kind === "bidi-stream";
}

/** @throws ParleyError `invalid_argument` when a call of this kind cannot be opened so. */
export function checkUpload(kind: CallKind, upload: boolean): void {
  const wanted = hasInput(kind);
  if (wanted === upload) return;
  throw new ParleyError(
    "invalid_argument",
    wanted
      ? `the caller of a ${kind} sends a stream: a body of ${mediaTypes.events}, its first line the opener`
      : `a ${kind} is one message: a body of ${mediaTypes.structured}, not a stream of them`,
    { outcome: "not-sent" },
  );
}

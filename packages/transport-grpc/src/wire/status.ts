import { Metadata, type StatusObject } from "@grpc/grpc-js";
import {
  type Code,
  codes,
  type Envelope,
  errorEvent,
  errorFor,
  type Opener,
  type Outcome,
  ParleyError,
  readError,
} from "@parley/core/transport";
import { decodeEvent } from "./decode-event.ts";
import { encodeEvent } from "./encode-event.ts";
import { ProtoWriter } from "./proto-writer.ts";
import { CODE, DETAILS, DETAILS_KEY, MESSAGE, statusDetails, TYPE_URL, VALUE } from "./rich-status.ts";

/** `type_url` of the error event among the details. */
const EVENT_URL = "type.googleapis.com/io.cloudevents.v1.CloudEvent";

/**
 * Bounds that keep all metadata of a status below the 8 KiB that gRPC's C core takes (RFC 9113's SETTINGS_MAX_HEADER_LIST_SIZE of many peers); more
 * makes the connection unusable for some. Details are base64 on the wire, a third longer.
 */
const MAX_MESSAGE_CHARS = 400;
const MAX_EVENT_BYTES = 5_000;
/** Of the message in an event that is too long. */
const CUT_MESSAGE_CHARS = 1_500;

/** A status as gRPC sends it. */
export type Status = Pick<StatusObject, "code" | "details" | "metadata">;

/** The error of a call as a gRPC status, with the `error` event in its details. */
export function statusOf(error: ParleyError, opener: Opener, source: string): Status {
  const { grpc } = codes[error.code];
  const message = shortened(error.message);
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, encodeStatus(grpc, message, boundedEvent(error, opener, source)));
  return { code: grpc, details: message, metadata };
}

/** The error that a status stands for; the peer's own words, if a Parley wrote them. */
export function errorOf(status: Pick<StatusObject, "code" | "details" | "metadata">, sent: boolean): ParleyError {
  const event = eventOf(status);
  const code = codeOf(status.code);
  const said = tidied(status.details);
  if (event) return readError(event.data, { code, message: said });
  // Without an error event of the peer it is gRPC itself that gave up, or the peer without a word: a call that nobody cancelled was lost.
  if (code === "cancelled") {
    return errorFor("unavailable", `the call was lost: ${shortened(said)}`, {
      outcome: outcome("unknown", sent),
    });
  }
  return errorFor(code, shortened(said) || `the peer answered with ${code}`, {
    outcome: outcome(outcomes[code] ?? "rejected", sent),
  });
}

/** Codes that gRPC itself gives when it does not know what the peer did. */
const outcomes: Readonly<Partial<Record<Code, Outcome>>> = {
  unknown: "unknown",
  deadline_exceeded: "unknown",
  resource_exhausted: "unknown",
  internal: "unknown",
  unavailable: "unknown",
  data_loss: "unknown",
};

/** Nothing was sent where there never was a connection. */
function outcome(known: Outcome, sent: boolean): Outcome {
  return sent ? known : "not-sent";
}

const byNumber: ReadonlyMap<number, Code> = new Map(
  Object.entries(codes).map(([code, { grpc }]) => [grpc, code as Code] as const),
);

/** The code of a gRPC status; `unknown` for a number that is none. */
export function codeOf(status: number): Code {
  return byNumber.get(status) ?? "unknown";
}

function boundedEvent(error: ParleyError, opener: Opener, source: string): Buffer | undefined {
  const event = encodeEvent(errorEvent(opener, source, error));
  if (event.length <= MAX_EVENT_BYTES) return event;
  const { code, outcome, retryAfterMs, details, message } = error;
  const omitted = { omitted: `details of over ${MAX_EVENT_BYTES} bytes, more than gRPC's metadata holds` };
  const options = { outcome, retryAfterMs, ...(details === undefined ? {} : { details: omitted }) };
  // The whole message if that is enough, else as much as fits in any case.
  for (const text of [message, `${message.slice(0, CUT_MESSAGE_CHARS).toWellFormed()}…`, shortened(message)]) {
    const shorter = encodeEvent(errorEvent(opener, source, new ParleyError(code, text, options)));
    if (shorter.length <= MAX_EVENT_BYTES) return shorter;
  }
  return undefined;
}

/** What gRPC's library says of a connection that did not come about, without its labels for what it does not say. */
function tidied(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (?:Error: )?/, "")
    .replace(/\s*\.? Resolution note: $/, "");
}

/** The message as far as it fits in metadata, where it is percent-encoded. */
export function shortened(message: string): string {
  const whole = message.toWellFormed();
  if (whole.length * 9 <= MAX_MESSAGE_CHARS || encodeURI(whole).length <= MAX_MESSAGE_CHARS) return whole;
  let text = "";
  let room = MAX_MESSAGE_CHARS - encodeURI("…").length;
  for (const character of whole) {
    room -= encodeURI(character).length;
    if (room < 0) break;
    text += character;
  }
  return `${text}…`;
}

function encodeStatus(code: number, message: string, event: Buffer | undefined): Buffer {
  const writer = new ProtoWriter();
  writer.byte(CODE).varint(code);
  const bytes = Buffer.byteLength(message);
  writer.byte(MESSAGE).varint(bytes).text(message, bytes);
  if (event) {
    const any = new ProtoWriter();
    any.byte(TYPE_URL).varint(EVENT_URL.length).text(EVENT_URL, EVENT_URL.length);
    any.byte(VALUE).varint(event.length).raw(event);
    const detail = any.finish();
    writer.byte(DETAILS).varint(detail.length).raw(detail);
  }
  return writer.finish();
}

function eventOf({ metadata }: Pick<StatusObject, "metadata">): Envelope | undefined {
  try {
    for (const { typeUrl, value } of statusDetails(metadata)) {
      const event = typeUrl === EVENT_URL ? decodeEvent(value) : undefined;
      if (event?.kind === "error") return event;
    }
  } catch {
    // No event after all.
  }
  return undefined;
}

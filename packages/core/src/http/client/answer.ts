import {
  decode,
  decodeData,
  type Envelope,
  errorFor,
  ParleyError,
  readError,
  toParleyError,
} from "../../transport/index.ts";
import { essenceOf, mediaTypes } from "../wire/media-type.ts";
import { codeOfStatus, isRedirect, outcomeOfStatus } from "../wire/status.ts";
import { readText } from "../wire/text.ts";
import { readProblem } from "./problem.ts";
import type { AnswerHeaders } from "./socket.ts";

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: Uint8Array;
}

/** The server speaks another protocol at this port (RFC 9110, 15.5.22). */
const UPGRADE_REQUIRED = 426;

/** The longest wait that a stranger's `Retry-After` is believed, ms. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * The event in an answer; undefined where a message was taken without one.
 * @throws ParleyError what the peer says went wrong, or that its answer makes no sense.
 */
export function readAnswer({ status, headers, body }: Answer, address: string): Envelope | undefined {
  const essence = essenceOf(headerOf(headers, "content-type"));
  if (essence === mediaTypes.structured) {
    const message = understood(address, () => decode(readText(body)));
    if (message.kind === "error") throw readError(message.data);
    if (status < 300 && (message.kind === "reply" || message.kind === undefined)) return message;
  }
  if (essence === mediaTypes.problem) {
    const problem = readProblem(understood(address, () => decodeData(readText(body))));
    if (problem) throw problem;
  }
  if (status === 202 || status === 204) return undefined;
  throw strangeAnswer(status, headers, address);
}

/** What an answer that no Parley wrote comes to. Its text is a stranger's and is not repeated. */
export function strangeAnswer(status: number, headers: AnswerHeaders, address: string): ParleyError {
  const essence = essenceOf(headerOf(headers, "content-type"));
  const answered = `${address} answered ${status} with ${essence === "" ? "no content type" : essence.slice(0, 80)}`;
  if (status < 300) {
    return errorFor("internal", `${answered}, where an event belongs (${mediaTypes.structured})`, {
      outcome: "unknown",
      details: { status },
    });
  }
  const wanted = status === UPGRADE_REQUIRED ? headerOf(headers, "upgrade") : undefined;
  const advice = wanted?.toLowerCase() === "websocket" ? ": a WebSocket is served there; dial it by ws: or wss:" : "";
  return statusError(status, headers, answered + advice);
}

/**
 * What an answer other than 2xx comes to.
 * @param answered who answered what, for people.
 */
export function statusError(status: number, headers: AnswerHeaders, answered: string, cause?: unknown): ParleyError {
  const details = { status };
  if (isRedirect(status)) {
    return errorFor("unavailable", `${answered}: a redirect, which is not followed; use the address that it leads to`, {
      outcome: "rejected",
      details,
      cause,
    });
  }
  const retryAfterMs = readRetryAfter(headerOf(headers, "retry-after"));
  return errorFor(codeOfStatus(status), answered, { outcome: outcomeOfStatus(status), retryAfterMs, details, cause });
}

/** Reads what the peer wrote; what cannot be read is its fault, not the caller's. */
export function understood<Value>(address: string, read: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    const { message } = toParleyError(thrown);
    throw new ParleyError("internal", `the answer of ${address} cannot be read: ${message}`, {
      outcome: "unknown",
      cause: thrown,
    });
  }
}

/** The first value of a header. */
export function headerOf(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** How long a peer asks to be left alone, ms: seconds, or a date (RFC 9110, 10.2.3). */
function readRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

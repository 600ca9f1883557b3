import { encodeData } from "../envelope/data.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { follower, type Opener } from "../envelope/follow.ts";
import { utf8Length } from "../envelope/utf8.ts";
import { type Code, isCode } from "./code.ts";
import { errorFor, type Outcome, type ParleyError } from "./error.ts";
import { readDetails, writeDetails } from "./error-details.ts";

/** Longest message of an error on a wire, bytes of UTF-8; what is longer is cut. */
export const MAX_ERROR_MESSAGE_BYTES: number = 5 * 1024;

/** Most that message and details of an error take on a wire together, bytes of UTF-8: details that are larger are cut or left out. */
export const MAX_ERROR_BYTES: number = 8 * 1024;

/** The data of an `error` event. Plain JSON; bytes in details are written as `{"$bytes": "<base64>"}`. */
export interface ErrorData {
  readonly code: Code;
  readonly outcome: Outcome;
  readonly message: string;
  readonly details?: unknown;
  readonly retryAfterMs?: number;
}

/** What an error says on a wire: never its stack or cause. Always possible: details that JSON cannot carry are left out, with a note. */
export function errorData(error: ParleyError): ErrorData {
  const { code, outcome, retryAfterMs } = error;
  const message = cut(error.message);
  const details =
    error.details === undefined ? undefined : boundedDetails(error.details, MAX_ERROR_BYTES - utf8Length(message));
  return {
    code,
    outcome,
    message,
    ...(details === undefined ? {} : { details }),
    ...(isDuration(retryAfterMs) ? { retryAfterMs } : {}),
  };
}

/** `<opener>.e` ends a call, or one direction of a stream (`seq` then is its place there), with an error. */
export function errorEvent(opener: Opener, source: string, error: ParleyError, seq?: number): Envelope {
  const event = follower("error", `${opener.id}.e`, opener, source, errorData(error));
  return seq === undefined ? event : { ...event, seq };
}

/** What is taken for granted of an error where its data does not say. */
export interface ErrorFallback {
  /** @default "unknown" */
  readonly code?: Code | undefined;
  /** @default "rejected", since the peer answered */
  readonly outcome?: Outcome | undefined;
  /** @default a sentence with the code */
  readonly message?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The error that a peer reports, from whatever it sent: what makes no sense is left out or taken from the fallback. */
export function readError(data: unknown, fallback: ErrorFallback = {}): ParleyError {
  const members: Partial<Record<keyof ErrorData, unknown>> = typeof data === "object" && data !== null ? data : {};
  const code = isCode(members.code) ? members.code : (fallback.code ?? "unknown");
  const message =
    typeof members.message === "string" ? cut(members.message) : (fallback.message ?? `the peer reported ${code}`);
  return errorFor(code, message, {
    outcome: isOutcome(members.outcome) ? members.outcome : (fallback.outcome ?? "rejected"),
    retryAfterMs: isDuration(members.retryAfterMs) ? members.retryAfterMs : fallback.retryAfterMs,
    details: readDetails(members.details),
  });
}

function isOutcome(value: unknown): value is Outcome {
  return value === "not-sent" || value === "unknown" || value === "rejected";
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY;
}

/** The message as far as it fits, in whole characters. */
function cut(message: string): string {
  const whole = message.toWellFormed();
  // No code unit takes more than three bytes.
  if (whole.length * 3 <= MAX_ERROR_MESSAGE_BYTES || utf8Length(whole) <= MAX_ERROR_MESSAGE_BYTES) return whole;
  const room = new Uint8Array(MAX_ERROR_MESSAGE_BYTES - utf8Length("…"));
  return `${whole.slice(0, new TextEncoder().encodeInto(whole, room).read)}…`;
}

function boundedDetails(details: unknown, maxBytes: number): unknown {
  try {
    const written = writeDetails(details);
    const bytes = utf8Length(encodeData(written));
    return bytes <= maxBytes ? written : (fewerIssues(written, maxBytes) ?? { omitted: `details of ${bytes} bytes` });
  } catch {
    return { omitted: "details that JSON cannot carry" };
  }
}

/** The first of the issues of a validation that found many. */
function fewerIssues(details: unknown, maxBytes: number): object | undefined {
  const issues = (details as { readonly issues?: unknown } | null)?.issues;
  if (!Array.isArray(issues)) return undefined;
  for (let kept = issues.length >> 1; kept > 0; kept >>= 1) {
    const shorter = { issues: issues.slice(0, kept), omitted: `${issues.length - kept} more issues` };
    if (utf8Length(encodeData(shorter)) <= maxBytes) return shorter;
  }
  return undefined;
}

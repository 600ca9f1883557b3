import { STATUS_CODES } from "node:http";
import { encodeData, errorData, isCode, type ParleyError, readError } from "../../transport/index.ts";

/**
 * An error for callers who read no CloudEvents: problem details (RFC 9457) with the members of Parley's `error` event, `message` being
 * `detail`.
 */
export function problemOf(error: ParleyError, status: number): string {
  const { message, ...members } = errorData(error);
  return encodeData({ title: STATUS_CODES[status] ?? "Error", status, detail: message, ...members });
}

/** The error in a problem's body, if a Parley wrote it; undefined otherwise. */
export function readProblem(body: unknown): ParleyError | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { detail, code, outcome, details, retryAfterMs } = body as Readonly<Record<string, unknown>>;
  return isCode(code) ? readError({ code, message: detail, outcome, details, retryAfterMs }) : undefined;
}

import { STATUS_CODES } from "node:http";
import { encodeData, errorData, type ParleyError } from "../../transport/index.ts";

/**
 * An error for callers who read no CloudEvents: problem details (RFC 9457) with the members of Parley's `error` event, `message` being
 * `detail`.
 */
export function problemOf(error: ParleyError, status: number): string {
  const { message, ...members } = errorData(error);
  return encodeData({ title: STATUS_CODES[status] ?? "Error", status, detail: message, ...members });
}

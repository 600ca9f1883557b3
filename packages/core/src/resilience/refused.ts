import { errorFor, type ParleyError } from "../call/error.ts";

const refusals = new WeakSet<ParleyError>();

/** The error of a call that a policy of this process refused: nothing was sent, and trying again at once would be refused again. */
export function refused(
  code: "unavailable" | "resource_exhausted",
  message: string,
  retryAfterMs: number | undefined,
): ParleyError {
  const error = errorFor(code, message, { outcome: "not-sent", retryAfterMs });
  refusals.add(error);
  return error;
}

/** Whether {@link refused} made the error: it says nothing of the peer. */
export function isRefused(error: ParleyError): boolean {
  return refusals.has(error);
}

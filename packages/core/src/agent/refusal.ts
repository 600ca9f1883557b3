import type { Call } from "../call/call.ts";
import { errorFor, ParleyError, toParleyError } from "../call/error.ts";
import type { Log } from "../call/log.ts";
import { report } from "../call/report.ts";

/**
 * What the caller is told of what a handler threw: a ParleyError with the outcome `rejected` (that something further down was `not-sent`
 * says nothing of this call), anything else as `internal` without its text. What goes out as `internal` is told to the log.
 */
export function refusal(thrown: unknown, call: Call, log: Log | undefined): ParleyError {
  // Whatever comes of an aborted call is nobody's any more, and mostly the abort itself.
  if (call.aborted && !(thrown instanceof ParleyError)) return call.aborted;
  const error = rejected(toParleyError(thrown));
  if (error.code === "internal") reportFailure(error, call, log);
  return error;
}

/** Tells the log that a handler failed, and why, which the caller does not learn. */
export function reportFailure(error: ParleyError, { message: { type, id } }: Call, log: Log | undefined): void {
  const { message } = error.cause instanceof Error ? error.cause : error;
  report(log, error, {
    level: "error",
    event: "handler-failed",
    message: `the handler of ${type} failed: ${message}`,
    fields: { type, id },
  });
}

function rejected(error: ParleyError): ParleyError {
  if (error.outcome === "rejected") return error;
  const { code, message, retryAfterMs, details } = error;
  return errorFor(code, message, { outcome: "rejected", retryAfterMs, details, cause: error });
}

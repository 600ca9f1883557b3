import { errorFor, type Outcome, type ParleyError } from "./error.ts";

const severity: Readonly<Record<Outcome, number>> = { "not-sent": 0, rejected: 1, unknown: 2 };

/** Of two outcomes the one that promises less: what a call came to is the worst that one of its attempts came to. */
export function worseOutcome(one: Outcome, other: Outcome): Outcome {
  return severity[one] >= severity[other] ? one : other;
}

/** The same error with another outcome. */
export function withOutcome(error: ParleyError, outcome: Outcome): ParleyError {
  if (error.outcome === outcome) return error;
  const { code, message, retryAfterMs, details, cause } = error;
  return errorFor(code, message, { outcome, retryAfterMs, details, cause });
}

import { ParleyError } from "../../call/error.ts";
import type { Backoff } from "../../runtime/backoff.ts";

/** How a connection comes back after a cut. */
export interface ReconnectOptions {
  /** Bound of the first delay, ms; it doubles with each attempt, and the delay is drawn evenly from 0 to it. @default 250 */
  readonly baseMs?: number | undefined;
  /**
   * The bound grows no further than this, ms. A connection that lived as long begins again with the first; so does one
   * that went on with the session of the one before and has taken something over since, ten times in as long at most. @default 10_000
   */
  readonly maxMs?: number | undefined;
  /** Attempts in a row, when the last of which fails the connection is closed; 0 for none at all. @default no limit */
  readonly maxAttempts?: number | undefined;
  /** Calls that may wait for the connection to come back; one more fails with `resource_exhausted`, `not-sent`. @default 1_024 */
  readonly maxWaiting?: number | undefined;
  /**
   * What becomes of calls that are under way at a cut. `resume`: on wires with sessions they go on when the connection is back, within their deadlines and the
   * session's window. `settle`: they end at once with their true outcome, as on wires without sessions. @default "resume"
   */
  readonly onCut?: "resume" | "settle" | undefined;
  /** How long a call waits for the connection to come back, ms; then it fails with `unavailable`, `not-sent`. @default 10_000 */
  readonly waitMs?: number | undefined;
}

/** The options, complete. */
export interface ReconnectPolicy extends Backoff {
  readonly maxAttempts: number;
  readonly maxWaiting: number;
  readonly waitMs: number;
}

/**
 * Completes the options.
 * @throws ParleyError `invalid_argument` for a number that makes no sense.
 */
export function reconnectPolicy(options: ReconnectOptions): ReconnectPolicy {
  const { baseMs = 250, maxMs = 10_000, maxAttempts = Number.POSITIVE_INFINITY } = options;
  const { maxWaiting = 1_024, waitMs = 10_000 } = options;
  const policy = { baseMs, maxMs, maxAttempts, maxWaiting, waitMs };
  for (const [name, value] of Object.entries(policy)) {
    const mayBeNone = name === "maxAttempts";
    if (typeof value === "number" && (value > 0 || (value === 0 && mayBeNone))) continue;
    const must = `must be a positive number${mayBeNone ? ", or 0 for none" : ""}`;
    throw new ParleyError("invalid_argument", `reconnect.${name} ${must}, and is ${String(value)}`, {
      outcome: "not-sent",
    });
  }
  return policy;
}

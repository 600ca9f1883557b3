import type { Call } from "../call/call.ts";
import { TransportError } from "../call/error.ts";
import type { Interceptor } from "../call/interceptor.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { invokeUntil } from "./limited-call.ts";
import { durationOption } from "./option.ts";

/** What {@link deadline} takes. */
export interface DeadlineOptions {
  /**
   * Time for the call with all its attempts, the waits between them, and the items of its stream; of a subscription, until it is active.
   * What is longer than 24 days is taken for that. @default none: only the call's own deadline, less the margin
   */
  readonly timeoutMs?: number | undefined;
  /** Kept back from the deadline that a call comes with, so that there is time to tell its caller. For relays. @default 0 */
  readonly marginMs?: number | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/**
 * One instant by which a call is over, however many attempts it takes: the sooner of its own timeout and the deadline it came with, less the
 * margin. What is left of it travels with each attempt (as in gRPC, "Deadlines"). A call that is too late already fails with
 * `deadline_exceeded`, `not-sent`.
 * @throws ParleyError `invalid_argument` for what is no duration.
 */
export function deadline(options: DeadlineOptions): Interceptor {
  const { timeoutMs, marginMs = 0, runtime = systemRuntime } = options;
  const own = timeoutMs === undefined ? undefined : durationOption("timeoutMs", timeoutMs);
  const margin = durationOption("marginMs", marginMs);
  const message = own === undefined ? "the deadline passed" : `the call was not done within ${own} ms`;
  return (next) => (call) => {
    const now = runtime.now();
    const parent = parentDeadline(call, margin);
    const at = own === undefined ? parent : Math.min(now + own, parent);
    if (at <= now) return Promise.reject(tooLate(call));
    if (at === call.deadline || at === Number.POSITIVE_INFINITY) return next(call);
    const whole = call.kind !== "subscribe" || at === parent;
    return invokeUntil(next, call, { at, whole, message, runtime });
  };
}

function parentDeadline({ deadline: parent }: Call, marginMs: number): number {
  return parent === undefined ? Number.POSITIVE_INFINITY : parent - marginMs;
}

function tooLate({ message: { type } }: Call): TransportError {
  return new TransportError("deadline_exceeded", `the deadline had passed before the call of ${type} was made`, {
    outcome: "not-sent",
  });
}

import type { Call } from "../../call/call.ts";
import { TransportError } from "../../call/error.ts";
import { withOutcome } from "../../call/outcome.ts";
import type { RuntimeParts } from "../../runtime/runtime.ts";

const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Checks that the call is still worth sending and says how long it has: the `timeoutms` to write, whole milliseconds.
 * @throws ParleyError with outcome `not-sent` when the call is aborted, or its deadline has passed.
 */
export function timeLeft(call: Call, runtime: RuntimeParts): number | undefined {
  if (call.aborted) throw withOutcome(call.aborted, "not-sent");
  if (call.deadline === undefined) return undefined;
  const left = call.deadline - runtime.now();
  if (left <= 0) {
    throw new TransportError("deadline_exceeded", "the deadline had passed before the call was sent", {
      outcome: "not-sent",
    });
  }
  // Rounded up: the peer's clock starts later, and must not end the call before this side does.
  return Math.min(Math.ceil(left), MAX_INTEGER);
}

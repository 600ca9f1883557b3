import { cancelled, type Outcome, TransportError } from "../call/error.ts";
import { withOutcome } from "../call/outcome.ts";
import type { RuntimeParts } from "./runtime.ts";

/** What every operation takes for which somebody waits. */
export interface OperationOptions {
  /** Gives the operation up. */
  readonly signal?: AbortSignal | undefined;
  /** Time for the operation, ms, the wait for a connection and further attempts included. @default the client's, or else none */
  readonly timeoutMs?: number | undefined;
}

/**
 * Waits for a promise no longer than told; leaves no timer and no listener behind. What the promise comes to later is dropped.
 * @param what is waited for, as it stands in "… within 100 ms".
 * @throws ParleyError `deadline_exceeded`, `cancelled`, both with the outcome; and whatever the promise is rejected with
 */
export function within<Value>(
  promise: Promise<Value>,
  { signal, timeoutMs }: OperationOptions,
  runtime: Pick<RuntimeParts, "setTimer">,
  what: string,
  outcome: Outcome = "not-sent",
): Promise<Value> {
  if (!signal && timeoutMs === undefined) return promise;
  const { promise: waited, resolve, reject } = Promise.withResolvers<Value>();
  const abort = (): void => reject(withOutcome(cancelled(signal?.reason, outcome), outcome));
  const late = (): void =>
    reject(new TransportError("deadline_exceeded", `${what} within ${timeoutMs} ms`, { outcome }));
  const cancelTimer = timeoutMs === undefined ? undefined : runtime.setTimer(late, timeoutMs);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  promise.then(resolve, reject);
  return waited.finally(() => {
    cancelTimer?.();
    signal?.removeEventListener("abort", abort);
  });
}

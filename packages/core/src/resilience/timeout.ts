import type { Interceptor } from "../call/interceptor.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { guarded } from "./guarded-call.ts";
import { durationOption } from "./option.ts";

/** What {@link timeout} takes. */
export interface TimeoutOptions {
  /** Time until the answer is there; of streams and subscriptions, until the peer has accepted. What is longer than 24 days is taken for that. */
  readonly timeoutMs: number;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/**
 * Gives an attempt so much time, then aborts it: `deadline_exceeded`, outcome `unknown`. Inside a retry each attempt has the time to itself.
 * A call whose deadline comes sooner is left alone: that its caller is out of time is no fault of the peer.
 * @throws ParleyError `invalid_argument` for what is no duration.
 */
export function timeout({ timeoutMs, runtime = systemRuntime }: TimeoutOptions): Interceptor {
  const limitMs = durationOption("timeoutMs", timeoutMs);
  const message = `the attempt was not answered within ${limitMs} ms`;
  return guarded({ limit: { limitMs, message }, runtime });
}

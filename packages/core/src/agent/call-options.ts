import type { AttributeValue } from "../envelope/envelope.ts";
import { knownOptions, type OptionNames } from "../resilience/option.ts";
import type { OnGap } from "../transport/reconnect/gap.ts";

/** What a caller can say with one call. */
export interface CallOptions {
  /** Aborting it cancels the call, with the signal's reason as the cause of the error. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Time for the whole call, streams included; for a subscription, the time until it is active. Beyond it: `deadline_exceeded`.
   * @default the client's
   */
  readonly timeoutMs?: number | undefined;
  /** Names the effect of the call: whatever is sent with the same key has its effect once. 1 to 256 characters. */
  readonly idempotencyKey?: string | undefined;
  /** Further attributes of the envelope, extensions included; never those that Parley writes itself. */
  readonly attributes?: Readonly<Record<string, AttributeValue>> | undefined;
}

/** What a subscriber can say. */
export interface SubscribeOptions extends CallOptions {
  /**
   * Lets the subscription outlive cuts of the connection: it is made again, and this is told that publications may be missing, with
   * `data_loss`. Without it a cut ends the subscription with an error.
   */
  readonly onGap?: OnGap | undefined;
}

const optionNames: OptionNames<SubscribeOptions> = {
  signal: true,
  timeoutMs: true,
  idempotencyKey: true,
  attributes: true,
  onGap: true,
};

/** @throws ParleyError `invalid_argument`, `not-sent`, for an option that there is not: a deadline that is misspelt would be none */
export function checkCallOptions(options: CallOptions): void {
  knownOptions("a call", options, optionNames);
}

import { type Call, derive } from "../call/call.ts";
import { type Code, codes } from "../call/code.ts";
import { type Outcome, ParleyError } from "../call/error.ts";
import type { Interceptor, Invoke, Reply } from "../call/interceptor.ts";
import { withOutcome, worseOutcome } from "../call/outcome.ts";
import { fullJitter } from "../runtime/backoff.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { type FirstAttempt, guarded, type Retries } from "./guarded-call.ts";
import { isIdempotent } from "./idempotent.ts";
import { countOption, durationOption } from "./option.ts";
import { isRefused } from "./refused.ts";
import type { ReplayableInput } from "./replayable-input.ts";
import { markRetried, wasRetried } from "./retried.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { sleep } from "./sleep.ts";

/** What {@link retry} takes. */
export interface RetryOptions {
  /** Attempts in all, the first included. @default 3 */
  readonly maxAttempts?: number | undefined;
  /** Longest wait before the second attempt, ms; doubled for each one after it. @default 100 */
  readonly baseMs?: number | undefined;
  /** Longest wait of all, ms. @default 5_000 */
  readonly maxMs?: number | undefined;
  /** What a peer's `retryAfterMs` is cut to, ms. @default 60_000 */
  readonly maxRetryAfterMs?: number | undefined;
  /** Codes that another attempt may change. @default those that the table of codes calls retryable */
  readonly codes?: readonly Code[] | undefined;
  /** Whether a call's effect may be had twice. @default its operation is declared so, it has an `idempotencykey`, or it subscribes */
  readonly idempotent?: ((call: Call) => boolean) | undefined;
  /** Bounds the further attempts of all calls together. @default none */
  readonly budget?: RetryBudget | undefined;
  /** Told before each wait for another attempt. Must not throw. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** Another attempt is about to be made. */
export interface Retry {
  readonly call: Call;
  /** What the last attempt failed with. */
  readonly error: ParleyError;
  /** Attempts made so far. */
  readonly attempts: number;
  readonly delayMs: number;
}

/**
 * Calls again what failed, where that is safe and may help:
 *
 * - `not-sent`: whatever the call does; once at once and free of charge if the peer says so (`retryAfterMs` 0).
 * - `unknown`: only what is idempotent.
 * - `rejected`: for the codes that another attempt may change.
 *
 * Never what this process refused itself, what was given up by its caller, what a layer below tried again already, or a stream that was
 * accepted. Items sent by the caller cannot be sent twice: such a call is repeated only if `not-sent`, and no item was read. Waits are drawn
 * by full jitter, on top of the peer's `retryAfterMs`; one that would last beyond the deadline is not begun. Attempts repeat the message with
 * its id, so that the peer can tell them from new calls; one with an `idempotencykey` that may have arrived says how long ago it was first sent,
 * so that a peer that may have forgotten it can refuse to run it again. The error is that of the last attempt, with the worst outcome of all.
 * @throws ParleyError `invalid_argument` for options that make no sense.
 */
export function retry(options: RetryOptions = {}): Interceptor {
  const policy = readPolicy(options);
  const { budget, runtime } = policy;
  const sameClock = budget?.runtime === runtime;
  const retries: Retries = {
    earn: (now) => budget?.earn(sameClock ? now : undefined),
    again: (next, call, first) => again(policy, next, call, first),
  };
  return guarded({ retries, runtime });
}

/** What an integer of CloudEvents can be. */
const MAX_AGE_MS = 2 ** 31 - 1;

interface Policy {
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly maxRetryAfterMs: number;
  readonly retryable: (code: Code) => boolean;
  readonly idempotent: (call: Call) => boolean;
  readonly budget: RetryBudget | undefined;
  readonly onRetry: ((retry: Retry) => void) | undefined;
  readonly runtime: Runtime;
}

function readPolicy(options: RetryOptions): Policy {
  const { codes: chosen, idempotent = isIdempotent, budget, onRetry, runtime = systemRuntime } = options;
  return {
    maxAttempts: countOption("maxAttempts", options.maxAttempts ?? 3, 1),
    baseMs: durationOption("baseMs", options.baseMs ?? 100),
    maxMs: durationOption("maxMs", options.maxMs ?? 5_000),
    maxRetryAfterMs: durationOption("maxRetryAfterMs", options.maxRetryAfterMs ?? 60_000),
    retryable: chosen ? (code) => chosen.includes(code) : (code) => codes[code].retryable,
    idempotent,
    budget,
    onRetry,
    runtime,
  };
}

/** Makes further attempts until one succeeds, or none is left to make. */
async function again(
  policy: Policy,
  next: Invoke,
  call: Call,
  { at, input, thrown: first }: FirstAttempt,
): Promise<Reply> {
  let worst: Outcome = "not-sent";
  let thrown = first;
  let free = true;
  for (let attempts = 1; ; attempts++) {
    // Not from a peer: a fault in an interceptor.
    if (!(thrown instanceof ParleyError)) throw thrown;
    worst = worseOutcome(worst, thrown.outcome);
    const error = withOutcome(thrown, worst);
    if (call.aborted || !mayRepeat(policy, call, input, thrown)) throw error;
    if (attempts >= policy.maxAttempts) throw markRetried(error);
    const atOnce = free && thrown.outcome === "not-sent" && thrown.retryAfterMs === 0;
    const delayMs = atOnce ? 0 : delayFor(policy, attempts, thrown);
    if (call.deadline !== undefined && policy.runtime.now() + delayMs >= call.deadline) throw error;
    if (atOnce) free = false;
    else if (policy.budget?.spend() === false) throw markRetried(error);
    policy.onRetry?.({ call, error: thrown, attempts, delayMs });
    try {
      if (!atOnce) await sleep(delayMs, call, policy.runtime);
    } catch (reason) {
      throw withOutcome(reason as ParleyError, worst);
    }
    try {
      return await next(worst === "unknown" ? aged(call, attempts + 1, policy.runtime.now() - at) : call);
    } catch (failure) {
      thrown = failure;
    }
  }
}

/** The same call, which its peer may have handled and forgotten. */
function aged(call: Call, attempt: number, ageMs: number): Call {
  const { message } = call;
  if (message.idempotencykey === undefined) return call;
  return derive(call, { message: { ...message, attempt, agems: Math.min(Math.ceil(ageMs), MAX_AGE_MS) } });
}

function mayRepeat(policy: Policy, call: Call, input: ReplayableInput | undefined, error: ParleyError): boolean {
  const { code, outcome } = error;
  if (isRefused(error) || wasRetried(error)) return false;
  if (input && (input.touched || outcome !== "not-sent")) return false;
  if (outcome !== "unknown") return policy.retryable(code);
  // Nothing came in time: the one thing that deadline_exceeded can mean of an attempt whose call is still on.
  return (policy.retryable(code) || code === "deadline_exceeded") && policy.idempotent(call);
}

function delayFor({ baseMs, maxMs, maxRetryAfterMs, runtime }: Policy, failed: number, error: ParleyError): number {
  const asked = Math.min(error.retryAfterMs ?? 0, maxRetryAfterMs);
  return asked + fullJitter(failed, { baseMs, maxMs }, runtime);
}

import type { Call } from "../call/call.ts";
import { type Interceptor, type Invoke, intercept } from "../call/interceptor.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { type Breaker, type BreakerChange, type BreakerOptions, type BreakerStats, breaker } from "./breaker.ts";
import { type Bulkhead, type BulkheadOptions, type BulkheadStats, bulkhead } from "./bulkhead.ts";
import { deadline } from "./deadline.ts";
import { together } from "./guarded-call.ts";
import { type HedgeOptions, hedge } from "./hedge.ts";
import { type RateLimit, type RateLimitOptions, type RateLimitStats, rateLimit } from "./rate-limit.ts";
import { type Retry, type RetryOptions, retry } from "./retry.ts";
import { type RetryBudget, type RetryBudgetOptions, type RetryBudgetStats, retryBudget } from "./retry-budget.ts";
import { timeout } from "./timeout.ts";

/** Policies, and what each does when; one that is absent or false does nothing. */
export interface ResiliencePolicies {
  /** Time for each attempt; see `timeout`. */
  readonly timeoutMs?: number | undefined;
  /** Time for the whole call, with all attempts and waits; see `deadline`. */
  readonly deadlineMs?: number | undefined;
  /** Kept back from the deadline that a call comes with; for relays. @default 0 */
  readonly marginMs?: number | undefined;
  /** See `rateLimit`. One that was made already is shared. */
  readonly rateLimit?: RateLimitOptions | RateLimit | false | undefined;
  /** See `bulkhead`. One that was made already is shared. */
  readonly bulkhead?: BulkheadOptions | Bulkhead | false | undefined;
  /** See `retry`. */
  readonly retry?: Omit<RetryOptions, "budget" | "runtime" | "onRetry"> | false | undefined;
  /** See `hedge`. */
  readonly hedge?: Omit<HedgeOptions, "budget" | "runtime" | "onHedge"> | false | undefined;
  /** See `breaker`. One that was made already is shared. */
  readonly breaker?: BreakerOptions | Breaker | false | undefined;
}

/** What {@link resilience} takes. */
export interface ResilienceOptions extends ResiliencePolicies {
  /** Bounds retries and hedges together; see `retryBudget`. One that was made already is shared. @default 10 % of the calls and 10 a second */
  readonly budget?: RetryBudgetOptions | RetryBudget | false | undefined;
  /**
   * What differs for single operations, by type (`text.summarize.v1`) or by name, for all its versions (`text.summarize`). A policy that is
   * named takes the place of the general one, with a state of its own; `false` takes it away.
   */
  readonly operations?: Readonly<Record<string, ResiliencePolicies>> | undefined;
  /** Told of what the policies do. Must not throw. */
  readonly onEvent?: ((event: ResilienceEvent) => void) | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a policy did. */
export type ResilienceEvent =
  | ({ readonly event: "retry" } & Retry)
  | { readonly event: "hedge"; readonly call: Call; readonly attempts: number }
  | ({ readonly event: "breaker" } & BreakerChange);

/** The state of the general policies, for gauges; absent are those that are. */
export interface ResilienceStats {
  /** Further attempts since it was made, those of all operations. */
  readonly retries: number;
  readonly hedges: number;
  readonly breaker?: BreakerStats;
  readonly bulkhead?: BulkheadStats;
  readonly rateLimit?: RateLimitStats;
  readonly budget?: RetryBudgetStats;
}

/** An interceptor made of several policies. */
export interface Resilience extends Interceptor {
  stats(): ResilienceStats;
}

/**
 * Builds the one right order: deadline ⊃ rate limit → bulkhead → retry (within the budget) → hedge → breaker → time for the attempt. One for
 * each destination: its breaker, bulkhead, rate limit and budget belong to whatever it is passed to.
 *
 * ```ts
 * const remote = await connect(text, "ws://127.0.0.1:7070", {
 *   transports: [ws()],
 *   use: [resilience({ timeoutMs: 1_000, deadlineMs: 5_000, retry: {}, breaker: {} })],
 * });
 * ```
 * @throws ParleyError `invalid_argument` for options that make no sense.
 */
export function resilience(options: ResilienceOptions): Resilience {
  const { operations = {}, runtime = systemRuntime } = options;
  const counts = { retries: 0, hedges: 0 };
  const common: Common = { runtime, budget: budgetOf(options, runtime), counts, onEvent: options.onEvent };
  const general = build(options, common, {});
  const special = new Map(
    Object.entries(operations).map(([type, own]) => [type, build({ ...options, ...own }, common, general, own)]),
  );
  const interceptor = (next: Invoke): Invoke => {
    const invoke = intercept(next, general.order);
    if (special.size === 0) return invoke;
    const invokes = new Map([...special].map(([type, { order }]) => [type, intercept(next, order)]));
    return (call) => {
      const { type } = call.message;
      return (invokes.get(type) ?? invokes.get(nameOf(type)) ?? invoke)(call);
    };
  };
  const stats = (): ResilienceStats => ({
    ...counts,
    ...(general.breaker && { breaker: general.breaker.stats() }),
    ...(general.bulkhead && { bulkhead: general.bulkhead.stats() }),
    ...(general.rateLimit && { rateLimit: general.rateLimit.stats() }),
    ...(common.budget && { budget: common.budget.stats() }),
  });
  return Object.assign(interceptor, { stats });
}

/** What all operations have in common. */
interface Common {
  readonly runtime: Runtime;
  readonly budget: RetryBudget | undefined;
  readonly counts: { retries: number; hedges: number };
  readonly onEvent: ((event: ResilienceEvent) => void) | undefined;
}

/** Policies with a state. */
interface Parts {
  readonly rateLimit?: RateLimit | undefined;
  readonly bulkhead?: Bulkhead | undefined;
  readonly breaker?: Breaker | undefined;
}

interface Built extends Parts {
  /** Outermost first. */
  readonly order: readonly Interceptor[];
}

/** @param own what an operation names itself; the rest of what has a state is shared with `general`. */
function build(
  policies: ResiliencePolicies,
  common: Common,
  general: Parts,
  own: ResiliencePolicies = policies,
): Built {
  const { timeoutMs, deadlineMs, marginMs } = policies;
  const { runtime } = common;
  const parts: Parts = {
    rateLimit:
      "rateLimit" in own
        ? made<RateLimitOptions, RateLimit>(own.rateLimit, (init) => rateLimit({ runtime, ...init }))
        : general.rateLimit,
    bulkhead: "bulkhead" in own ? made<BulkheadOptions, Bulkhead>(own.bulkhead, bulkhead) : general.bulkhead,
    breaker:
      "breaker" in own
        ? made<BreakerOptions, Breaker>(own.breaker, (init) => watchedBreaker(init, common))
        : general.breaker,
  };
  const limited = deadlineMs !== undefined || marginMs !== undefined;
  const order: (Interceptor | undefined)[] = [
    limited ? deadline({ timeoutMs: deadlineMs, marginMs, runtime }) : undefined,
    parts.rateLimit,
    parts.bulkhead,
    retryOf(policies, common),
    hedgeOf(policies, common),
    parts.breaker,
    timeoutMs === undefined ? undefined : timeout({ timeoutMs, runtime }),
  ];
  return { ...parts, order: together(order.filter((one) => one !== undefined)) };
}

function retryOf(
  { retry: policy }: ResiliencePolicies,
  { runtime, budget, counts, onEvent }: Common,
): Interceptor | undefined {
  if (!policy) return undefined;
  const onRetry = (again: Retry): void => {
    counts.retries++;
    onEvent?.({ event: "retry", ...again });
  };
  return retry({ ...policy, runtime, budget, onRetry });
}

function hedgeOf({ hedge: policy, retry: retries }: ResiliencePolicies, common: Common): Interceptor | undefined {
  if (!policy) return undefined;
  const { runtime, budget, counts, onEvent } = common;
  const onHedge = (call: Call, attempts: number): void => {
    counts.hedges++;
    onEvent?.({ event: "hedge", call, attempts });
  };
  const hedging = hedge({ ...policy, runtime, budget, onHedge });
  // A retry has told the budget of the call already.
  return retries || !budget ? hedging : (next) => earning(hedging(next), budget);
}

function earning(next: Invoke, budget: RetryBudget): Invoke {
  return (call) => {
    budget.earn();
    return next(call);
  };
}

function watchedBreaker(init: BreakerOptions, { runtime, onEvent }: Common): Breaker {
  const { onChange } = init;
  return breaker({
    runtime,
    ...init,
    onChange: (change) => {
      onChange?.(change);
      onEvent?.({ event: "breaker", ...change });
    },
  });
}

function budgetOf(options: ResilienceOptions, runtime: Runtime): RetryBudget | undefined {
  const { budget = {}, operations = {} } = options;
  if (budget === false) return undefined;
  if ("spend" in budget) return budget;
  const perCall = Math.max(1, ...[options, ...Object.values(operations)].map(furtherAttempts));
  return retryBudget({ runtime, perCall, ...budget });
}

/** What retry and hedge add to one call by the `maxAttempts` that are named for them. */
function furtherAttempts({ retry: retries, hedge: hedging }: ResiliencePolicies): number {
  const further = (retries ? (retries.maxAttempts ?? 1) : 1) - 1 + (hedging ? (hedging.maxAttempts ?? 1) : 1) - 1;
  // What makes no sense is refused by retry or hedge, which can say why.
  return Number.isSafeInteger(further) ? further : 0;
}

/** The policy itself, or one made from its options. */
function made<Options extends object, Policy extends Interceptor>(
  given: Options | Policy | false | undefined,
  make: (options: Options) => Policy,
): Policy | undefined {
  if (given === false || given === undefined) return undefined;
  // Options are no function.
  return typeof given === "function" ? (given as Policy) : make(given as Options);
}

/** A type without its version. */
function nameOf(type: string): string {
  const end = type.lastIndexOf(".v");
  return end < 0 ? type : type.slice(0, end);
}

import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { countOption, rateOption, shareOption } from "./option.ts";
import { SlidingWindow } from "./sliding-window.ts";

/** What {@link retryBudget} takes. */
export interface RetryBudgetOptions {
  /** Further attempts per call, as a share of the calls. @default 0.1 */
  readonly ratio?: number | undefined;
  /** Further attempts a second that are allowed beside the share, for those who call seldom. @default 10 */
  readonly perSecond?: number | undefined;
  /**
   * Further attempts that one call may take when there were no others: with 2, many who call seldom together make three times the load of a
   * peer that goes down. @default 1; of `resilience`, as many as the `maxAttempts` that it names make
   */
  readonly perCall?: number | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a {@link RetryBudget} has counted in its last second. */
export interface RetryBudgetStats {
  readonly calls: number;
  /** Further attempts: retries and hedges. */
  readonly spent: number;
  /** Further attempts that would be allowed now. */
  readonly left: number;
}

/** Bounds what retries and hedges add to the load of one destination. */
export interface RetryBudget {
  /** Whose clock it goes by, if it needs one. */
  readonly runtime?: Runtime | undefined;
  /** A call was made; its first attempt is free. `now` is what the clock of its runtime says, where it was just read. */
  earn(now?: number): void;
  /** Takes what one further attempt costs. False: there is nothing left, and it must not be made. */
  spend(): boolean;
  stats(): RetryBudgetStats;
}

const CALLS = 0;
const SPENT = 1;

/**
 * Allows further attempts for 10 % of the calls and 10 beside, in any second (after Finagle's RetryBudget, and "Handling Overload" in the SRE
 * book), and never more than there are calls, neither in that second nor in all: many who call seldom together at most double the load of a
 * peer that is down. A second retry of one call is paid for by a call that needed none. Nothing more is saved up: the first second of an
 * outage is no different from the others. With less than 1 a second, the time is as long as it takes for one. One for each destination: pass
 * the same one to all that call it.
 * @throws ParleyError `invalid_argument` for a share that is none, a rate below 0, or no count.
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  const { runtime = systemRuntime } = options;
  const ratio = shareOption("ratio", options.ratio ?? 0.1);
  const perSecond = rateOption("perSecond", options.perSecond ?? 10);
  const perCall = countOption("perCall", options.perCall ?? 1, 1);
  const windowMs = perSecond === 0 ? 1_000 : Math.max(1_000, 1_000 / perSecond);
  const reserve = (perSecond * windowMs) / 1_000;
  const window = new SlidingWindow(windowMs, 2);
  let credit = perCall;
  const left = (now: number): number => {
    const calls = window.sum(CALLS, now);
    const most = Math.min(Math.max(perCall, calls), Math.floor(ratio * calls + reserve + 1e-9));
    return Math.min(credit, most - window.sum(SPENT, now));
  };
  return {
    runtime,
    earn(now = runtime.now()) {
      window.add(CALLS, now);
      credit = Math.min(credit + 1, Math.max(perCall, window.sum(CALLS, now)));
    },
    spend() {
      const now = runtime.now();
      if (left(now) < 1) return false;
      window.add(SPENT, now);
      credit--;
      return true;
    },
    stats() {
      const now = runtime.now();
      return { calls: window.sum(CALLS, now), spent: window.sum(SPENT, now), left: Math.max(0, left(now)) };
    },
  };
}

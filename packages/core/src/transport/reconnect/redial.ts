import { type ParleyError, toParleyError } from "../../call/error.ts";
import type { Log } from "../../call/log.ts";
import { type Backoff, delayBound, fullJitter } from "../../runtime/backoff.ts";
import { pause } from "../../runtime/pause.ts";
import type { Runtime } from "../../runtime/runtime.ts";

/** How often, and how soon, a connection that was lost is dialled again. */
export interface RedialPolicy extends Backoff {
  /** Attempts in a row; when the last of them fails it is given up. */
  readonly maxAttempts: number;
}

/** The wait for one attempt to dial again. */
export interface RedialWait {
  /** Which attempt in a row it is, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  /** What ended the connection, or the attempt before. */
  readonly error: ParleyError;
}

/** What a {@link Redial} is made from. */
export interface RedialInit {
  /** Who is dialled, as the log says it. @default nobody is named */
  readonly peer?: string;
  /** Whether another attempt may come to something else after this error. @default {@link mayRedial} */
  readonly mayRedial?: (error: ParleyError) => boolean;
  readonly policy: RedialPolicy;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  /** Ends it: nobody wants a connection any more. */
  readonly signal: AbortSignal;
  /** Told before each wait. */
  waits(wait: RedialWait): void;
  /** Told at once when there is no use in another attempt, with the last error. */
  gaveUp(error: ParleyError): void;
}

/** What no further attempt can change: who we are, that another has our name (and would be driven out), and what we speak. */
const fatal: ReadonlySet<unknown> = new Set([
  "unauthenticated",
  "permission_denied",
  "already_exists",
  "failed_precondition",
]);

/** How often attempts are counted anew for progress, in the time of the longest delay. */
const QUICK_RETURNS = 10;

/** Whether another attempt may come to something else. */
export function mayRedial({ code }: ParleyError): boolean {
  return !fatal.has(code);
}

/**
 * Dials again after a cut, waiting longer from one attempt to the next. A peer that said how long to stay away (`retryAfterMs`) is obeyed, up to
 * the longest delay.
 */
export class Redial {
  readonly #init: RedialInit;
  #attempt = 0;
  #openedAt = 0;
  /** Times that attempts were counted anew, less one for each tenth of the longest delay since; and when that was reckoned. */
  #quick = 0;
  #quickAt = 0;

  constructor(init: RedialInit) {
    this.#init = init;
  }

  /** The connection is there. Once it has lasted, attempts are counted anew. */
  opened(): void {
    this.#openedAt = this.#init.runtime.now();
  }

  /**
   * What was under way before the connection was lost has gone on by it: attempts are counted anew, though it may not last. Where that happens
   * over and over, only so often that many who are cut together are no storm.
   */
  progressed(): void {
    const { policy, runtime } = this.#init;
    const now = runtime.now();
    this.#quick = Math.max(0, this.#quick - ((now - this.#quickAt) / policy.maxMs) * QUICK_RETURNS);
    this.#quickAt = now;
    if (this.#quick > QUICK_RETURNS - 1) return;
    this.#quick++;
    this.#attempt = 0;
  }

  /** Resolves when `dial` has succeeded, or it is given up. Never rejects. */
  async run(lost: ParleyError, dial: () => Promise<void>): Promise<void> {
    const { policy, runtime, log, signal, waits, gaveUp, peer } = this.#init;
    const goesOn = this.#init.mayRedial ?? mayRedial;
    if (runtime.now() - this.#openedAt >= policy.maxMs) this.#attempt = 0;
    let error = lost;
    while (this.#attempt < policy.maxAttempts) {
      const attempt = ++this.#attempt;
      const delayMs = Math.max(fullJitter(attempt, policy, runtime), Math.min(error.retryAfterMs ?? 0, policy.maxMs));
      waits({ attempt, delayMs, error });
      log?.({
        level: "warn",
        event: "reconnecting",
        message: `the connection ${peer === undefined ? "" : `to ${peer} `}was lost; attempt ${attempt} in ${Math.round(delayMs)} ms (drawn from up to ${delayBound(attempt, policy)} ms)`,
        error,
      });
      await pause(delayMs, signal, runtime);
      if (signal.aborted) return;
      try {
        return await dial();
      } catch (thrown) {
        if (signal.aborted) return;
        error = toParleyError(thrown);
        if (!goesOn(error)) break;
      }
    }
    gaveUp(error);
  }
}

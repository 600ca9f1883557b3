import { type AbortListener, type Call, createAttempt, type OwnedCall } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import type { Interceptor, Invoke, Reply } from "../call/interceptor.ts";
import { leave } from "../call/leave.ts";
import { withOutcome, worseOutcome } from "../call/outcome.ts";
import type { DeadlineListener, WatchedDeadline } from "../runtime/deadlines.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { isIdempotent } from "./idempotent.ts";
import { Latencies } from "./latencies.ts";
import { countOption, durationOption, shareOption } from "./option.ts";
import { promised } from "./promised.ts";
import type { RetryBudget } from "./retry-budget.ts";

/** What {@link hedge} takes: a delay, a percentile, or both (then whichever is later). */
export interface HedgeOptions {
  /** Time without an answer after which another attempt is made beside the first, ms. */
  readonly delayMs?: number | undefined;
  /** The same as a share of the answers that come sooner, 0.95 for the 95th percentile of the last 256; before there were 20, nothing is hedged. */
  readonly percentile?: number | undefined;
  /** Attempts at a time, the first included. @default 2 */
  readonly maxAttempts?: number | undefined;
  /** Whether a call's effect may be had twice. @default its operation is declared so, or it has an `idempotencykey` */
  readonly idempotent?: ((call: Call) => boolean) | undefined;
  /** Bounds the further attempts of all calls together; the one that retry uses. @default none */
  readonly budget?: RetryBudget | undefined;
  /** Told before each further attempt. Must not throw. */
  readonly onHedge?: ((call: Call, attempts: number) => void) | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/**
 * Makes another attempt when the first takes too long, and takes whichever answers first; the others are cancelled (J. Dean and L. Barroso,
 * "The Tail at Scale", hedged requests). Only for requests and server streams that are idempotent, and within the budget. An attempt that
 * fails waits for the others; when none is left, the call has failed with the worst outcome of all.
 * @throws ParleyError `invalid_argument` for options that make no sense.
 */
export function hedge(options: HedgeOptions): Interceptor {
  const { idempotent = isIdempotent, budget, onHedge, runtime = systemRuntime } = options;
  const least = options.delayMs === undefined ? undefined : durationOption("delayMs", options.delayMs);
  const latencies =
    options.percentile === undefined ? undefined : new Latencies(shareOption("percentile", options.percentile));
  const maxAttempts = countOption("maxAttempts", options.maxAttempts ?? 2, 1);
  if (least === undefined && !latencies)
    throw new ParleyError("invalid_argument", "hedge needs delayMs or percentile", { outcome: "not-sent" });
  const delayOf = (): number | undefined => {
    if (!latencies) return least;
    const { percentile } = latencies;
    return percentile === undefined ? undefined : Math.max(percentile, least ?? 0);
  };
  return (next) => (call) => {
    if ((call.kind !== "request" && call.kind !== "server-stream") || !idempotent(call)) return next(call);
    const startedAt = latencies && runtime.now();
    const delayMs = delayOf();
    const answer = delayMs === undefined ? promised(next, call) : race();
    if (startedAt === undefined) return answer;
    return answer.then((reply) => {
      latencies?.add(runtime.now() - startedAt);
      return reply;
    });
    function race(): Promise<Reply> {
      const plan: Plan = { delayMs: delayMs as number, maxAttempts, budget, onHedge, runtime };
      return new Promise((resolve, reject) => new Race(next, call, plan, resolve, reject).start());
    }
  };
}

interface Plan {
  readonly delayMs: number;
  readonly maxAttempts: number;
  readonly budget: RetryBudget | undefined;
  readonly onHedge: ((call: Call, attempts: number) => void) | undefined;
  readonly runtime: Runtime;
}

/** The reason for which those are cancelled that did not answer first. One for all: they are many. */
const lost = /* @__PURE__ */ new ParleyError("cancelled", "another attempt at the call was answered first", {
  outcome: "unknown",
});

/** Attempts at one call, side by side. */
class Race implements DeadlineListener, AbortListener {
  readonly #next: Invoke;
  readonly #call: Call;
  readonly #plan: Plan;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: unknown) => void;
  readonly #running: OwnedCall[] = [];
  #started = 0;
  #over = false;
  #worst: ParleyError["outcome"] = "not-sent";
  #watched: WatchedDeadline | undefined;

  constructor(next: Invoke, call: Call, plan: Plan, resolve: (reply: Reply) => void, reject: (error: unknown) => void) {
    this.#next = next;
    this.#call = call;
    this.#plan = plan;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    this.#call.onAbort(this);
    if (this.#over) return;
    this.#attempt();
    this.#wait();
  }

  /** It has taken too long: one more, if that is allowed. */
  onDeadline(): void {
    const { budget, onHedge } = this.#plan;
    if (this.#over || budget?.spend() === false) return;
    onHedge?.(this.#call, this.#started);
    this.#attempt();
    this.#wait();
  }

  /** The attempts are aborted with the call. */
  callAborted(reason: ParleyError): void {
    this.#finish();
    this.#reject(reason);
  }

  #wait(): void {
    const { delayMs, maxAttempts, runtime } = this.#plan;
    if (this.#over || this.#started >= maxAttempts) return;
    this.#watched = runtime.deadlines.add(runtime.now() + delayMs, this);
  }

  #attempt(): void {
    this.#started++;
    const attempt = createAttempt(this.#call, {}, this.#plan.runtime);
    this.#running.push(attempt);
    promised(this.#next, attempt).then(
      (reply) => this.#answered(attempt, reply),
      (thrown: unknown) => this.#failed(attempt, thrown),
    );
  }

  #answered(attempt: OwnedCall, reply: Reply): void {
    if (this.#over) {
      if (reply?.output) leave(reply.output[Symbol.asyncIterator]());
      return;
    }
    this.#finish();
    for (const other of this.#running) if (other !== attempt) other.abort(lost);
    // The attempt of a stream goes on, and is over with its call.
    if (!reply?.output) attempt.settle();
    this.#resolve(reply);
  }

  #failed(attempt: OwnedCall, thrown: unknown): void {
    attempt.settle();
    this.#running.splice(this.#running.indexOf(attempt), 1);
    if (this.#over) return;
    if (thrown instanceof ParleyError) this.#worst = worseOutcome(this.#worst, thrown.outcome);
    if (this.#running.length > 0) return;
    this.#finish();
    this.#reject(thrown instanceof ParleyError ? withOutcome(thrown, this.#worst) : thrown);
  }

  #finish(): void {
    this.#over = true;
    this.#call.offAbort(this);
    if (this.#watched) this.#plan.runtime.deadlines.remove(this.#watched);
  }
}

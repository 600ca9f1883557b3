import { type Outcome, ParleyError, TransportError, toParleyError } from "../call/error.ts";
import { worseOutcome } from "../call/outcome.ts";
import { type CancelTimer, type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { countOption, durationOption } from "./option.ts";

/**
 * When a fan-out is over, and how.
 * - `all`: resolves when all have succeeded; fails with the first failure, and at the deadline.
 * - `any`: resolves with the first success; fails when all have failed, and at the deadline.
 * - `{ quorum: n }`: resolves when `n` have succeeded; fails as soon as so many cannot any more, and at the deadline.
 * - `partial`: resolves when all are settled, and at the deadline with what there is; also when that is nothing.
 */
export type FanOutPolicy = "all" | "any" | "partial" | { readonly quorum: number };

/** What {@link fanOut} takes. */
export interface FanOutOptions {
  readonly policy: FanOutPolicy;
  /** The deadline of the whole, ms from now. @default none */
  readonly timeoutMs?: number | undefined;
  /** Targets asked at a time. @default all */
  readonly maxConcurrent?: number | undefined;
  /** Gives the whole up, with its reason as the cause. */
  readonly signal?: AbortSignal | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a target is asked with. */
export interface Branch {
  /** Position of the target. */
  readonly index: number;
  /** Aborted when the answer is not needed any more; pass it on. Its reason is a ParleyError. Made when first read. */
  readonly signal: AbortSignal;
}

/** What came of one target: `pending` is one that was asked, or not even that, when it was over. */
export type BranchResult<Target, Value> =
  | { readonly target: Target; readonly state: "done"; readonly value: Value }
  | { readonly target: Target; readonly state: "failed"; readonly error: ParleyError }
  | { readonly target: Target; readonly state: "pending" };

/** What a fan-out came to. */
export interface FanOutResult<Target, Value> {
  /** Those of the targets that succeeded, in their order. */
  readonly values: readonly Value[];
  /** One for each target, in their order. */
  readonly branches: readonly BranchResult<Target, Value>[];
}

/**
 * Asks several targets for the same and puts their answers together as the policy says. Those not needed any more are aborted before it
 * settles.
 *
 * ```ts
 * const { values } = await fanOut(replicas, (replica, { signal }) => replica.find({ id }, { signal }), { policy: { quorum: 2 } });
 * ```
 * @throws ParleyError with the code of the first failure; `deadline_exceeded`; `cancelled`; `invalid_argument` for options that make no sense,
 * or a quorum of more than there are. Its outcome is the worst of all, `details` have the numbers of `done`, `failed` and `pending`.
 */
export async function fanOut<Target, Value>(
  targets: readonly Target[],
  run: (target: Target, branch: Branch) => Value | Promise<Value>,
  options: FanOutOptions,
): Promise<FanOutResult<Target, Value>> {
  return new FanOut(targets, run, options).settled;
}

class FanOut<Target, Value> {
  readonly settled: Promise<FanOutResult<Target, Value>>;
  readonly #targets: readonly Target[];
  readonly #run: (target: Target, branch: Branch) => Value | Promise<Value>;
  readonly #partial: boolean;
  /** Successes that decide it. */
  readonly #needed: number;
  readonly #signal: AbortSignal | undefined;
  readonly #branches: BranchResult<Target, Value>[];
  readonly #running = new Map<number, LazyBranch>();
  readonly #done: PromiseWithResolvers<FanOutResult<Target, Value>> = Promise.withResolvers();
  #next = 0;
  #succeeded = 0;
  #failed = 0;
  #first: ParleyError | undefined;
  #over = false;
  #cancelTimer: CancelTimer | undefined;

  constructor(
    targets: readonly Target[],
    run: (target: Target, branch: Branch) => Value | Promise<Value>,
    { policy, timeoutMs, maxConcurrent = Math.max(1, targets.length), signal, runtime = systemRuntime }: FanOutOptions,
  ) {
    this.settled = this.#done.promise;
    this.#targets = targets;
    this.#run = run;
    this.#partial = policy === "partial";
    this.#needed = neededFor(policy, targets.length);
    this.#signal = signal;
    this.#branches = targets.map((target) => ({ target, state: "pending" }));
    countOption("maxConcurrent", maxConcurrent, 1);
    const limitMs = timeoutMs === undefined ? undefined : durationOption("timeoutMs", timeoutMs);
    if (signal?.aborted) this.#cancel();
    else this.#judge();
    if (this.#over) return;
    signal?.addEventListener("abort", this.#cancel);
    if (limitMs !== undefined) this.#cancelTimer = runtime.setTimer(() => this.#late(limitMs), limitMs);
    for (let started = 0; started < Math.min(maxConcurrent, targets.length); started++) this.#start();
  }

  #start(): void {
    if (this.#over || this.#next >= this.#targets.length) return;
    const index = this.#next++;
    const branch = new LazyBranch(index);
    this.#running.set(index, branch);
    void this.#ask(index, branch);
  }

  async #ask(index: number, branch: Branch): Promise<void> {
    const target = this.#targets[index] as Target;
    let result: BranchResult<Target, Value>;
    try {
      result = { target, state: "done", value: await this.#run(target, branch) };
    } catch (thrown) {
      result = { target, state: "failed", error: toParleyError(thrown) };
    }
    if (this.#over) return;
    this.#running.delete(index);
    this.#branches[index] = result;
    if (result.state === "done") this.#succeeded++;
    else if (result.state === "failed") {
      this.#failed++;
      this.#first ??= result.error;
    }
    this.#judge();
    this.#start();
  }

  #judge(): void {
    const { length } = this.#targets;
    if (this.#over) return;
    if (this.#partial ? this.#succeeded + this.#failed === length : this.#succeeded >= this.#needed)
      return this.#succeed();
    if (this.#partial || length - this.#failed >= this.#needed) return;
    const { code = "unavailable", message = "no target" } = this.#first ?? {};
    this.#fail(this.#error(code, `${this.#numbers()}: ${message}`, this.#first));
  }

  #late(timeoutMs: number): void {
    if (this.#partial) return this.#succeed();
    this.#fail(this.#error("deadline_exceeded", `${this.#numbers()} within ${timeoutMs} ms`, this.#first));
  }

  readonly #cancel = (): void => this.#fail(givenUp(this.#signal?.reason));

  #succeed(): void {
    this.#finish(enough);
    const branches = this.#branches;
    const values = branches.flatMap((branch) => (branch.state === "done" ? [branch.value] : []));
    this.#done.resolve({ values, branches });
  }

  #fail(error: ParleyError): void {
    if (this.#over) return;
    this.#finish(error);
    this.#done.reject(error);
  }

  #finish(reason: ParleyError): void {
    this.#over = true;
    this.#cancelTimer?.();
    this.#signal?.removeEventListener("abort", this.#cancel);
    for (const branch of this.#running.values()) branch.abort(reason);
  }

  #numbers(): string {
    return `${this.#succeeded} of ${this.#targets.length} targets answered and ${this.#failed} failed, where ${this.#needed} must answer`;
  }

  #error(code: ParleyError["code"], message: string, cause: unknown): ParleyError {
    const details = {
      done: this.#succeeded,
      failed: this.#failed,
      pending: this.#targets.length - this.#succeeded - this.#failed,
    };
    let outcome: Outcome = this.#running.size > 0 || this.#succeeded > 0 ? "unknown" : "not-sent";
    for (const branch of this.#branches)
      if (branch.state === "failed") outcome = worseOutcome(outcome, branch.error.outcome);
    const init = { outcome, details, cause };
    return code === "deadline_exceeded"
      ? new TransportError(code, message, init)
      : new ParleyError(code, message, init);
  }
}

/** The reason for which those are aborted whose answer is not needed any more. One for all. */
const enough = /* @__PURE__ */ new ParleyError("cancelled", "the other targets have answered", { outcome: "unknown" });

class LazyBranch implements Branch {
  readonly index: number;
  #controller: AbortController | undefined;
  #reason: ParleyError | undefined;

  constructor(index: number) {
    this.index = index;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  abort(reason: ParleyError): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

function neededFor(policy: FanOutPolicy, targets: number): number {
  if (policy === "partial") return 0;
  if (policy === "all") return targets;
  if (policy === "any") return 1;
  if (countOption("quorum", policy.quorum, 1) <= targets) return policy.quorum;
  throw new ParleyError("invalid_argument", `a quorum of ${policy.quorum} is more than the ${targets} targets`, {
    outcome: "not-sent",
  });
}

function givenUp(cause: unknown): ParleyError {
  if (cause instanceof ParleyError) return cause;
  return new ParleyError("cancelled", "the caller gave up", { outcome: "unknown", cause });
}

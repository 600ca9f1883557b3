import type { Call } from "../call/call.ts";
import type { Code } from "../call/code.ts";
import { ParleyError } from "../call/error.ts";
import type { Interceptor } from "../call/interceptor.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { type Circuit, guarded } from "./guarded-call.ts";
import { countOption, durationOption, shareOption } from "./option.ts";
import { isRefused, refused } from "./refused.ts";
import { SlidingWindow } from "./sliding-window.ts";

/**
 * - `closed`: calls pass.
 * - `open`: calls are refused at once.
 * - `half-open`: a few calls pass as probes, the others are refused at once.
 */
export type BreakerState = "closed" | "open" | "half-open";

/** What {@link breaker} takes. */
export interface BreakerOptions {
  /** Share of bad calls at which it opens. @default 0.5 */
  readonly threshold?: number | undefined;
  /** Calls in the window below which it never opens. @default 20 */
  readonly minCalls?: number | undefined;
  /** How far back calls count, ms. @default 10_000 */
  readonly windowMs?: number | undefined;
  /** How long it stays open before it lets probes pass, ms; also how long it waits for what they come to. @default 5_000 */
  readonly openMs?: number | undefined;
  /** Probes, all of which must be good for it to close. @default 3 */
  readonly probes?: number | undefined;
  /** A call that took so long is bad, whatever it came to. @default none */
  readonly slowMs?: number | undefined;
  /** Told of each change. Must not throw. */
  readonly onChange?: ((change: BreakerChange) => void) | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** A breaker has changed its state. */
export interface BreakerChange {
  readonly from: BreakerState;
  readonly to: BreakerState;
}

/** What a {@link Breaker} has seen. */
export interface BreakerStats {
  readonly state: BreakerState;
  /** Calls in the window that count. */
  readonly calls: number;
  /** Those among them that were bad. */
  readonly bad: number;
  /** Calls refused since it was made. */
  readonly refused: number;
  /** Times that it opened since it was made. */
  readonly opened: number;
}

/** An interceptor that stops calling a peer that is ill. */
export interface Breaker extends Interceptor {
  readonly state: BreakerState;
  stats(): BreakerStats;
}

/** Codes by which a peer, or the way to it, shows that it is ill. All others are answers, or the caller's doing. */
const illness: ReadonlySet<Code> = new Set<Code>([
  "unavailable",
  "deadline_exceeded",
  "internal",
  "unknown",
  "data_loss",
]);

/**
 * Opens when half of at least 20 calls in 10 s were bad, and then refuses calls at once (`unavailable`, `not-sent`, with the time until it is
 * worth trying). After 5 s three probes decide whether it closes (M. Nygard, "Release It!", Circuit Breaker). What the caller is at fault
 * for does not count: refused input, cancellation, a deadline of its own that was too short. Nor does what a call that began before the last
 * change of state came to. Of streams, acceptance counts. One for each destination: the same one in several lists is shared.
 * @throws ParleyError `invalid_argument` for options that make no sense.
 */
export function breaker(options: BreakerOptions = {}): Breaker {
  const { runtime = systemRuntime } = options;
  const circuit = new CountingCircuit(options, runtime);
  return Object.defineProperties(guarded({ circuit, runtime }), {
    state: { get: () => circuit.state },
    stats: { value: () => circuit.stats() },
  }) as Breaker; // those are its two members
}

const CALLS = 0;
const BAD = 1;

/** Deadlines are noticed so late, ms: by the wheel here, or by the peer, who tells of its own. */
const NOTICE_MS = 20;

type Verdict = "good" | "bad" | "none";

class CountingCircuit implements Circuit {
  readonly #threshold: number;
  readonly #minCalls: number;
  readonly #openMs: number;
  readonly #maxProbes: number;
  readonly #slowMs: number;
  readonly #onChange: ((change: BreakerChange) => void) | undefined;
  readonly #runtime: Runtime;
  readonly #window: SlidingWindow;
  #state: BreakerState = "closed";
  /** Raised by each change: what began under another one does not count. */
  #generation = 0;
  #changedAt = 0;
  #probing = 0;
  #passed = 0;
  #refused = 0;
  #opened = 0;

  constructor(options: BreakerOptions, runtime: Runtime) {
    const { threshold = 0.5, minCalls = 20, windowMs = 10_000, openMs = 5_000, probes = 3, slowMs } = options;
    this.#threshold = shareOption("threshold", threshold);
    this.#minCalls = countOption("minCalls", minCalls, 1);
    this.#openMs = durationOption("openMs", openMs);
    this.#maxProbes = countOption("probes", probes, 1);
    this.#slowMs = slowMs === undefined ? Number.POSITIVE_INFINITY : durationOption("slowMs", slowMs);
    this.#window = new SlidingWindow(Math.max(10, durationOption("windowMs", windowMs)), 2);
    this.#onChange = options.onChange;
    this.#runtime = runtime;
  }

  get state(): BreakerState {
    return this.#state;
  }

  stats(): BreakerStats {
    const now = this.#runtime.now();
    return {
      state: this.#state,
      calls: this.#window.sum(CALLS, now),
      bad: this.#window.sum(BAD, now),
      refused: this.#refused,
      opened: this.#opened,
    };
  }

  admit(call: Call, now: number): number {
    if (this.#state !== "closed") {
      const retryAfterMs = this.#refuses(now);
      if (retryAfterMs !== undefined) throw this.#refusal(call, retryAfterMs);
      this.#probing++;
    }
    return this.#generation;
  }

  replied(generation: number, startedAt: number): void {
    const now = this.#runtime.now();
    this.#settled(generation, now - startedAt >= this.#slowMs ? "bad" : "good", now);
  }

  failed(generation: number, startedAt: number, call: Call, thrown: unknown): void {
    const now = this.#runtime.now();
    this.#settled(generation, this.#judge(call, thrown, startedAt, now), now);
  }

  /** Time until it is worth asking again; undefined where a probe may pass. */
  #refuses(now: number): number | undefined {
    const reopensAt = this.#changedAt + this.#openMs;
    if (this.#state === "open") {
      if (now < reopensAt) return reopensAt - now;
      this.#change("half-open", now);
      return undefined;
    }
    if (this.#probing + this.#passed < this.#maxProbes) return undefined;
    // A probe that hangs is bad news too.
    if (now >= reopensAt) this.#change("open", now);
    return Math.max(0, this.#changedAt + this.#openMs - now);
  }

  #refusal({ message: { type } }: Call, retryAfterMs: number): ParleyError {
    this.#refused++;
    const why = this.#state === "open" ? "most calls failed" : "its probes are still out";
    return refused(
      "unavailable",
      `the breaker is ${this.#state}, and refuses the call of ${type}: ${why}`,
      retryAfterMs,
    );
  }

  #judge(call: Call, thrown: unknown, startedAt: number, now: number): Verdict {
    const slow = now - startedAt >= this.#slowMs;
    if (!(thrown instanceof ParleyError) || isRefused(thrown)) return "none";
    const late = call.deadline !== undefined && now >= call.deadline - NOTICE_MS;
    if (thrown.code === "deadline_exceeded" && (call.aborted || late)) return slow ? "bad" : "none";
    if (call.aborted) return "none";
    if (illness.has(thrown.code)) return "bad";
    // An answer, if not the one hoped for: the peer is well.
    if (thrown.outcome === "rejected") return slow ? "bad" : "none";
    return "none";
  }

  #settled(generation: number, verdict: Verdict, now: number): void {
    if (generation !== this.#generation) return;
    if (this.#state === "half-open") this.#probed(verdict, now);
    else if (verdict !== "none") this.#count(verdict, now);
  }

  #probed(verdict: Verdict, now: number): void {
    this.#probing--;
    if (verdict === "bad") this.#change("open", now);
    else if (verdict === "good" && ++this.#passed >= this.#maxProbes) this.#change("closed", now);
  }

  #count(verdict: Verdict, now: number): void {
    this.#window.add(CALLS, now);
    if (verdict !== "bad") return;
    this.#window.add(BAD, now);
    const calls = this.#window.sum(CALLS, now);
    if (calls >= this.#minCalls && this.#window.sum(BAD, now) >= calls * this.#threshold) this.#change("open", now);
  }

  #change(to: BreakerState, now: number): void {
    const from = this.#state;
    this.#state = to;
    this.#generation++;
    this.#changedAt = now;
    this.#probing = 0;
    this.#passed = 0;
    if (to === "open") this.#opened++;
    if (to === "closed") this.#window.clear();
    this.#onChange?.({ from, to });
  }
}

import type { Call } from "../call/call.ts";
import type { Interceptor, Invoke } from "../call/interceptor.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import { countOption, durationOption, rateOption } from "./option.ts";
import { refused } from "./refused.ts";

/** What {@link rateLimit} takes. */
export interface RateLimitOptions {
  /** Calls a second, in the long run; for each key. */
  readonly perSecond: number;
  /** Calls at once after a pause. @default a second's worth, at least 1 */
  readonly burst?: number | undefined;
  /** Whose calls count together, such as the peer's principal. @default all calls do */
  readonly key?: ((call: Call) => string) | undefined;
  /** Keys that are remembered; beyond that, the one longest unused is forgotten, and begins anew. @default 10_000 */
  readonly maxKeys?: number | undefined;
  /** A key not used for so long is forgotten, ms. @default 60_000 */
  readonly keyTtlMs?: number | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a {@link RateLimit} has seen. */
export interface RateLimitStats {
  /** Keys remembered. */
  readonly keys: number;
  /** Calls refused since it was made. */
  readonly refused: number;
}

/** An interceptor that bounds how often calls are made. */
export interface RateLimit extends Interceptor {
  stats(): RateLimitStats;
}

/**
 * Lets so many calls a second pass, after a pause several at once: a token bucket, kept as the one instant at which it will be full again
 * (the generic cell rate algorithm, ITU-T I.371). What is beyond is refused at once with `resource_exhausted`, `not-sent`, and the time until
 * the next call would pass. The same one in several lists is shared.
 * @throws ParleyError `invalid_argument` for options that make no sense.
 */
export function rateLimit(options: RateLimitOptions): RateLimit {
  const { perSecond, key = oneForAll, maxKeys = 10_000, keyTtlMs = 60_000, runtime = systemRuntime } = options;
  const intervalMs = 1_000 / rateOption("perSecond", perSecond);
  const burst = countOption("burst", options.burst ?? Math.max(1, Math.floor(perSecond)), 1);
  const ttlMs = Math.max(durationOption("keyTtlMs", keyTtlMs), intervalMs * burst);
  const buckets = new Buckets(countOption("maxKeys", maxKeys, 1), ttlMs);
  let refusals = 0;
  const interceptor = (next: Invoke): Invoke => {
    return (call) => {
      const now = runtime.now();
      const name = key(call);
      const before = Math.max(buckets.get(name) ?? now, now);
      const fullAt = before + intervalMs;
      // A bucket that never fills again lets nothing pass.
      const waitMs = Number.isFinite(intervalMs) ? fullAt - now - intervalMs * burst : Number.POSITIVE_INFINITY;
      if (waitMs > 1e-6) {
        refusals++;
        // Whoever is refused stays known.
        buckets.set(name, before, now);
        const message = `more than ${perSecond} calls a second (${burst} at once): the call of ${call.message.type} is refused`;
        return Promise.reject(
          refused("resource_exhausted", message, Number.isFinite(waitMs) ? Math.ceil(waitMs) : undefined),
        );
      }
      buckets.set(name, fullAt, now);
      return next(call);
    };
  };
  return Object.assign(interceptor, { stats: () => ({ keys: buckets.size, refused: refusals }) });
}

function oneForAll(): string {
  return "";
}

/** When the bucket of each key is full again, the one longest unused first. */
class Buckets {
  readonly #maxKeys: number;
  readonly #ttlMs: number;
  readonly #fullAt = new Map<string, number>();

  constructor(maxKeys: number, ttlMs: number) {
    this.#maxKeys = maxKeys;
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  get(name: string): number | undefined {
    return this.#fullAt.get(name);
  }

  set(name: string, fullAt: number, now: number): void {
    if (this.#fullAt.size > 1) this.#fullAt.delete(name);
    this.#fullAt.set(name, fullAt);
    if (this.#fullAt.size === 1) return;
    // Two at a time: the map shrinks faster than it grows.
    for (let looked = 0; looked < 2; looked++) {
      const [oldest] = this.#fullAt;
      if (!oldest || (this.#fullAt.size <= this.#maxKeys && oldest[1] + this.#ttlMs > now)) return;
      this.#fullAt.delete(oldest[0]);
    }
  }
}

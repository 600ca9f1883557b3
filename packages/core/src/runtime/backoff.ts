import type { RuntimeParts } from "./runtime.ts";

/** How long to wait between attempts. */
export interface Backoff {
  /** Bound of the first delay, ms. It doubles with each attempt. */
  readonly baseMs: number;
  /** The bound grows no further than this, ms. */
  readonly maxMs: number;
}

/**
 * The delay before an attempt, ms: drawn evenly from 0 to its bound, so that many who failed together do not come back together
 * ("full jitter": Brooker, Exponential Backoff and Jitter, AWS 2015). `failures` counts those in a row, from 1.
 */
export function fullJitter(failures: number, backoff: Backoff, runtime: Pick<RuntimeParts, "randomBytes">): number {
  return random(runtime) * delayBound(failures, backoff);
}

/** The longest delay that {@link fullJitter} can draw, ms. */
export function delayBound(failures: number, { baseMs, maxMs }: Backoff): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 52));
}

/** Evenly from 0 up to, but not, 1. */
function random({ randomBytes }: Pick<RuntimeParts, "randomBytes">): number {
  const bytes = new Uint32Array(1);
  randomBytes(new Uint8Array(bytes.buffer));
  return (bytes[0] as number) / 2 ** 32;
}

const BUCKETS = 10;

/**
 * Counts of the last while, in ten buckets of it: what is older than the window by more than a bucket is gone, also when nothing was counted
 * meanwhile. Costs the same however much is counted.
 */
export class SlidingWindow {
  readonly #bucketMs: number;
  readonly #kinds: number;
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;
  /** Number of the bucket that is being filled, since the clock's beginning. */
  #current = Number.NEGATIVE_INFINITY;

  /** @param kinds how many things are counted side by side. */
  constructor(windowMs: number, kinds: number) {
    this.#bucketMs = windowMs / BUCKETS;
    this.#kinds = kinds;
    this.#counts = new Float64Array(BUCKETS * kinds);
    this.#sums = new Float64Array(kinds);
  }

  add(kind: number, now: number): void {
    this.#turn(now);
    const index = (this.#current % BUCKETS) * this.#kinds + kind;
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#sums[kind] = (this.#sums[kind] as number) + 1;
  }

  sum(kind: number, now: number): number {
    this.#turn(now);
    return this.#sums[kind] as number;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#sums.fill(0);
  }

  /** Empties the buckets that the clock has come to since. */
  #turn(now: number): void {
    const bucket = Math.floor(now / this.#bucketMs);
    if (bucket <= this.#current) return;
    if (bucket - this.#current >= BUCKETS) this.clear();
    else for (let next = this.#current + 1; next <= bucket; next++) this.#empty(next % BUCKETS);
    this.#current = bucket;
  }

  #empty(bucket: number): void {
    for (let kind = 0; kind < this.#kinds; kind++) {
      const index = bucket * this.#kinds + kind;
      this.#sums[kind] = (this.#sums[kind] as number) - (this.#counts[index] as number);
      this.#counts[index] = 0;
    }
  }
}

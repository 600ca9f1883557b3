const KEPT = 256;
const LEAST = 20;
const REFRESH = 16;

/** How long the last 256 answers took. */
export class Latencies {
  readonly #share: number;
  readonly #kept = new Float64Array(KEPT);
  #count = 0;
  #percentile: number | undefined;

  /** @param share the percentile that is wanted, 0.95 for the 95th. */
  constructor(share: number) {
    this.#share = share;
  }

  /** The time in which that share of them came (nearest rank), computed every 16 answers; undefined before there were 20. */
  get percentile(): number | undefined {
    return this.#percentile;
  }

  add(ms: number): void {
    this.#kept[this.#count++ % KEPT] = ms;
    if (this.#count < LEAST || (this.#count > LEAST && this.#count % REFRESH !== 0)) return;
    const sorted = this.#kept.slice(0, Math.min(this.#count, KEPT)).sort();
    this.#percentile = sorted[Math.max(0, Math.ceil(sorted.length * this.#share) - 1)];
  }
}

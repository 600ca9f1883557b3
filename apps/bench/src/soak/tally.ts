import { ParleyError } from "@parley/core";

type Counts = Map<string, Map<string, number>>;

/** Counts what became of calls, by kind of call and by what it came to, and what else was seen. */
export class Tally {
  readonly #counts: Counts = new Map();
  readonly #seen: Counts = new Map();
  /** What must not be, a sentence each; the first ones. */
  readonly violations: string[] = [];

  /** Calls in all. */
  get calls(): number {
    return [...this.#counts.values()].reduce((sum, outcomes) => sum + total(outcomes), 0);
  }

  /** A call came to this. */
  add(kind: string, outcome: string): void {
    count(this.#counts, kind, outcome);
  }

  /** Something happened that is no call. */
  saw(kind: string, what: string): void {
    count(this.#seen, kind, what);
  }

  /** How a call failed. What is no ParleyError must not be. */
  failed(kind: string, thrown: unknown): void {
    if (thrown instanceof ParleyError) return this.add(kind, `${thrown.code} (${thrown.outcome})`);
    this.add(kind, "not a ParleyError");
    this.violation(`${kind} failed with ${String(thrown)}`);
  }

  violation(text: string): void {
    if (this.violations.length < 20) this.violations.push(text);
  }

  /** A line for each kind. */
  lines(): readonly string[] {
    return [...this.#counts, ...this.#seen].sort().map(([kind, outcomes]) => {
      const parts = [...outcomes].sort((one, other) => other[1] - one[1]).map(([what, count]) => `${what} ${count}`);
      return `${kind.padEnd(18)} ${String(total(outcomes)).padStart(8)}  ${parts.join(", ")}`;
    });
  }
}

function count(counts: Counts, kind: string, what: string): void {
  const known = counts.get(kind) ?? new Map<string, number>();
  counts.set(kind, known.set(what, (known.get(what) ?? 0) + 1));
}

function total(outcomes: ReadonlyMap<string, number>): number {
  return [...outcomes.values()].reduce((sum, count) => sum + count, 0);
}

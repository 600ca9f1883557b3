import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { DedupeRecord, DedupeResult, DedupeStore } from "./dedupe-store.ts";
import { IdTable } from "./id-table.ts";
import { countOption, durationOption } from "./option.ts";

/** What {@link memoryDedupe} takes. */
export interface MemoryDedupeOptions {
  /** How long a call is remembered, ms. @default 300_000 */
  readonly windowMs?: number | undefined;
  /** Calls that are remembered; beyond that the oldest is forgotten. @default 65_536 */
  readonly maxEntries?: number | undefined;
  /** What the answers kept may take together, roughly; beyond that the oldest is forgotten, and only that there was one is remembered. @default 16 MiB */
  readonly maxResultBytes?: number | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a {@link MemoryDedupe} holds. */
export interface MemoryDedupeStats {
  readonly entries: number;
  readonly resultBytes: number;
  /** How far back nothing was forgotten, ms: a call that is not known, and is not older than that, was never seen. */
  readonly completeForMs: number;
}

/** A {@link DedupeStore} in the memory of this process. */
export interface MemoryDedupe extends DedupeStore {
  claim(key: string, fingerprint: number): DedupeRecord | undefined;
  completeForMs(): number;
  stats(): MemoryDedupeStats;
}

/** Keeps calls in memory; a million of them without answers takes less than 64 MiB. A restart forgets all. */
export function memoryDedupe(options: MemoryDedupeOptions = {}): MemoryDedupe {
  const { windowMs = 300_000, maxEntries = 65_536, maxResultBytes = 16 * 1024 * 1024 } = options;
  return new Memory(
    durationOption("windowMs", windowMs),
    countOption("maxEntries", maxEntries, 1),
    countOption("maxResultBytes", maxResultBytes, 0),
    options.runtime ?? systemRuntime,
  );
}

const DONE: DedupeResult = { state: "done" };
const FORGOTTEN: DedupeResult = { state: "forgotten" };

class Memory implements MemoryDedupe {
  readonly #windowMs: number;
  readonly #maxEntries: number;
  readonly #maxResultBytes: number;
  readonly #runtime: Runtime;
  readonly #table: IdTable;
  /** By number modulo the most there can be. */
  readonly #results: (DedupeResult | undefined)[] = [];
  /** What the results with an answer take, in the order in which they came. */
  readonly #sizes = new Map<number, number>();
  #resultBytes = 0;
  #forgotAt: number;

  constructor(windowMs: number, maxEntries: number, maxResultBytes: number, runtime: Runtime) {
    this.#windowMs = windowMs;
    this.#maxEntries = maxEntries;
    this.#maxResultBytes = maxResultBytes;
    this.#runtime = runtime;
    this.#table = new IdTable(maxEntries, runtime);
    this.#forgotAt = runtime.now();
  }

  stats(): MemoryDedupeStats {
    this.#expire(this.#runtime.now());
    return { entries: this.#table.size, resultBytes: this.#resultBytes, completeForMs: this.completeForMs() };
  }

  completeForMs(): number {
    return Math.min(this.#windowMs, this.#runtime.now() - this.#forgotAt);
  }

  claim(key: string, fingerprint: number): DedupeRecord | undefined {
    const now = this.#runtime.now();
    this.#expire(now);
    const known = this.#table.find(key);
    if (known !== undefined) {
      return { fingerprint: this.#table.tag(known), result: this.#results[known % this.#maxEntries] };
    }
    if (this.#table.full) {
      this.#forgotAt = Math.max(this.#forgotAt, this.#table.oldest ?? now);
      this.#drop(this.#table.shift());
    }
    this.#results[this.#table.add(key, fingerprint, now) % this.#maxEntries] = undefined;
    return undefined;
  }

  settle(key: string, result: DedupeResult, bytes: number): void {
    const known = this.#table.find(key);
    if (known === undefined) return;
    const plain = result.state === "done" && result.message === undefined;
    this.#results[known % this.#maxEntries] = plain ? DONE : result;
    if (plain || result.state === "aborted") return;
    this.#sizes.set(known, bytes);
    this.#resultBytes += bytes;
    for (const [number, size] of this.#sizes) {
      if (this.#resultBytes <= this.#maxResultBytes) return;
      this.#sizes.delete(number);
      this.#resultBytes -= size;
      this.#results[number % this.#maxEntries] = FORGOTTEN;
    }
  }

  release(key: string): void {
    const known = this.#table.find(key);
    if (known === undefined) return;
    this.#table.remove(known);
    this.#drop(known);
  }

  #expire(now: number): void {
    for (let oldest = this.#table.oldest; oldest !== undefined && oldest + this.#windowMs <= now; ) {
      this.#drop(this.#table.shift());
      oldest = this.#table.oldest;
    }
  }

  #drop(number: number): void {
    this.#results[number % this.#maxEntries] = undefined;
    this.#resultBytes -= this.#sizes.get(number) ?? 0;
    this.#sizes.delete(number);
  }
}

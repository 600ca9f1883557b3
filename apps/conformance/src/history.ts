/** Where something was seen. `suite` is what the suite did to the wire. */
export type Lane = "caller" | "wire" | "handler" | "process" | "suite";

/** One thing that happened. */
export interface HistoryEntry {
  /** Monotonic clock of the machine, ms; within a report relative to the start of the scenario. */
  readonly at: number;
  readonly lane: Lane;
  /** What happened, in a few words. */
  readonly what: string;
  /** Id of the opener of the call it belongs to. */
  readonly call?: string | undefined;
  /** On the wire: who sent it. */
  readonly from?: "dialler" | "listener" | undefined;
}

/** Monotonic milliseconds that all processes of one machine agree on. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const MAX_ENTRIES = 400;

/** What happened in one scenario; keeps the first and the last 200 entries. */
export class History {
  readonly #first: HistoryEntry[] = [];
  #last: HistoryEntry[] = [];
  #dropped = 0;

  add(entry: HistoryEntry): void {
    if (this.#first.length < MAX_ENTRIES / 2) {
      this.#first.push(entry);
      return;
    }
    this.#last.push(entry);
    if (this.#last.length > MAX_ENTRIES) {
      this.#dropped += MAX_ENTRIES / 2;
      this.#last = this.#last.slice(MAX_ENTRIES / 2);
    }
  }

  /** Notes something now. */
  note(
    lane: Lane,
    what: string,
    more: { readonly call?: string | undefined; readonly from?: "dialler" | "listener" } = {},
  ): void {
    this.add({ at: monotonicNow(), lane, what, ...more });
  }

  /** All that was kept, in order of time, relative to `start`. */
  since(start: number): readonly HistoryEntry[] {
    const last = this.#last.slice(-MAX_ENTRIES / 2);
    const dropped = this.#dropped + this.#last.length - last.length;
    const gap: HistoryEntry[] =
      dropped > 0 && last[0] ? [{ at: last[0].at, lane: "suite", what: `(${dropped} entries left out)` }] : [];
    return [...this.#first, ...gap, ...last]
      .sort((one, other) => one.at - other.at)
      .map((entry) => ({ ...entry, at: Math.max(0, Math.round((entry.at - start) * 100) / 100) }));
  }
}

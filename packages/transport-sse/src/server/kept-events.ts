import { positionText } from "../event-stream.ts";
import type { ReplayBook } from "./replay-book.ts";

/** What is kept of one stream at most; the latest event is kept, however long it is. */
export interface KeptBounds {
  readonly items: number;
  readonly bytes: number;
}

const BOUNDS: KeptBounds = { items: 1_024, bytes: 1024 * 1024 };

/** An event, and the items that it holds. */
interface Kept {
  readonly text: string;
  readonly bytes: number;
  readonly items: number;
}

/** The latest events of a stream, for a reader who comes back: the oldest give way when there are too many. */
export class KeptEvents {
  readonly #session: string;
  readonly #budget: Pick<ReplayBook, "keeps">;
  readonly #bounds: KeptBounds;
  #kept: Kept[] = [];
  #keptItems = 0;
  #bytes = 0;
  /** Items so far, and those of them that were written to a reader. */
  #items = 0;
  #written = 0;
  #newBytes = 0;

  /** @param budget what is kept of all streams together. */
  constructor(session: string, budget: Pick<ReplayBook, "keeps">, bounds: KeptBounds = BOUNDS) {
    this.#session = session;
    this.#budget = budget;
    this.#bounds = bounds;
  }

  /** Whether less than half of what is kept at most has come since {@link written}. */
  get hasRoom(): boolean {
    const { items, bytes } = this.#bounds;
    return this.#items - this.#written < items / 2 && this.#newBytes < bytes / 2;
  }

  /** Keeps an event that holds so many items; gives it back with the position that its reader is at then. */
  add(event: string, items: number): string {
    this.#items += items;
    const text = `id: ${positionText(this.#session, this.#items)}\n${event}`;
    const bytes = Buffer.byteLength(text);
    this.#kept.push({ text, bytes, items });
    this.#keptItems += items;
    this.#newBytes += bytes;
    this.#bytes += bytes;
    let crowded = this.#budget.keeps(bytes);
    while (this.#kept.length > 1 && (crowded || this.#isOver())) {
      const oldest = this.#kept.shift() as Kept;
      this.#bytes -= oldest.bytes;
      this.#keptItems -= oldest.items;
      crowded = this.#budget.keeps(-oldest.bytes);
    }
    return text;
  }

  /** A reader is written to: nothing of what is kept is new. */
  written(): void {
    this.#written = this.#items;
    this.#newBytes = 0;
  }

  /** What follows for a reader who has so many items; undefined when that is gone, or is no end of an event. */
  after(items: number): string | undefined {
    let has = this.#items - this.#keptItems;
    let at = 0;
    for (; has < items && at < this.#kept.length; at++) has += (this.#kept[at] as Kept).items;
    if (has !== items) return undefined;
    return this.#kept
      .slice(at)
      .map(({ text }) => `${text}\n`)
      .join("");
  }

  /** Keeps nothing any more. */
  clear(): void {
    this.#budget.keeps(-this.#bytes);
    this.#kept = [];
    this.#keptItems = 0;
    this.#bytes = 0;
  }

  #isOver(): boolean {
    return this.#keptItems > this.#bounds.items || this.#bytes > this.#bounds.bytes;
  }
}

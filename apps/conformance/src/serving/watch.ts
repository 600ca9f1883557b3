import { ParleyError } from "@parley/core";
import type { WitnessItem } from "./witness-contract.ts";

/** Characters of an event that one item has at most. */
const PIECE = 16 * 1024;
/** Events that the suite has not been told yet. If there are more, it is told no more of them, and that as an error. */
const MAX_WAITING = 100_000;

type Waiting = Omit<WitnessItem, "more">;

/** Tells a suite elsewhere what handlers see, one suite at a time. */
export class Watch {
  #waiting: Waiting[] = [];
  #behind = false;
  #watched: symbol | undefined;
  #wake: (() => void) | undefined;
  #number = 0;
  #seen = 0;
  #time = 0;
  #late: { readonly number: number; readonly resolve: () => void }[] = [];

  /** A time begins: events that were told before it are of no interest any more. Gives its number. */
  begin(): number {
    return ++this.#time;
  }

  /** @param text JSON of an event. */
  tell(text: string): void {
    if (this.#watched === undefined) return;
    if (this.#waiting.length >= MAX_WAITING) this.#behind = true;
    else this.#waiting.push({ number: ++this.#number, time: this.#time, text });
    this.#wake?.();
  }

  /** The suite has the events up to this one. */
  seen(number: number): void {
    this.#seen = Math.max(this.#seen, number);
    const known = this.#late.filter((one) => one.number <= this.#seen);
    this.#late = this.#late.filter((one) => one.number > this.#seen);
    for (const { resolve } of known) resolve();
  }

  /** Resolves when the suite has all that it was told so far, or is gone. */
  caughtUp(): Promise<void> | undefined {
    const number = this.#number;
    if (this.#watched === undefined || this.#seen >= number) return undefined;
    return new Promise((resolve) => this.#late.push({ number, resolve }));
  }

  /** Tells one suite, until it stops listening or another comes. @throws ParleyError `resource_exhausted` when it is too far behind */
  async *items(signal: AbortSignal): AsyncGenerator<WitnessItem, void, undefined> {
    const own = Symbol("suite");
    this.#watched = own;
    this.#waiting = [];
    this.#behind = false;
    this.#wake?.();
    const stop = (): void => this.#wake?.();
    signal.addEventListener("abort", stop);
    try {
      yield { number: 0, time: this.#time, text: "", more: false };
      while (this.#watched === own && !signal.aborted) {
        if (this.#behind)
          throw new ParleyError(
            "resource_exhausted",
            `more than ${MAX_WAITING} events wait for whoever asked for them`,
          );
        const item = this.#waiting.shift();
        if (item) yield* pieces(item);
        else await this.#more();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      if (this.#watched === own) this.#watched = undefined;
      this.seen(this.#number);
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function* pieces({ text, ...item }: Waiting): Generator<WitnessItem, void, undefined> {
  for (let at = 0; at < text.length; at += PIECE)
    yield { ...item, text: text.slice(at, at + PIECE), more: at + PIECE < text.length };
}

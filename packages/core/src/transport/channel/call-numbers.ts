import { isAfter, nextSeq } from "./seq.ts";

/**
 * Numbers of the calls on one connection: odd from the side that dialled, even from the other, rising by two, wrapping at 2^31 and
 * skipping those still in use.
 */
export class CallNumbers {
  readonly #ownParity: 0 | 1;
  #own: number;
  #theirs: number;

  constructor(dialled: boolean) {
    this.#ownParity = dialled ? 1 : 0;
    this.#own = dialled ? -1 : 0;
    this.#theirs = dialled ? 0 : -1;
  }

  /** A number for a call that this side makes. */
  take(inUse: (number: number) => boolean): number {
    do this.#own = this.#own < 0 ? 1 : nextSeq(this.#own, 2);
    while (this.#own === 0 || inUse(this.#own));
    return this.#own;
  }

  /** Whether the peer may open a call with this number; if so it is used from now on. */
  accept(number: number): boolean {
    if (number % 2 === this.#ownParity || !isAfter(number, Math.max(this.#theirs, 0))) return false;
    this.#theirs = number;
    return true;
  }
}

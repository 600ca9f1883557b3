import type { ParleyError } from "../../call/error.ts";

/** How long one acknowledged opener vouches for its operation. */
const ALIVE_MS = 1_000;
/** Openers of one operation that ask at a time whether it is permitted: fewer than brokers leave unacknowledged (Mosquitto: 20), so that none waits for another. */
const MAX_ASKING = 16;
/** Operations that are remembered; of more, the one that was first asked about is forgotten. */
const MAX_TYPES = 256;

interface Known {
  /** Openers that were to be acknowledged before one was. */
  asking: number;
  /** When the next one is to be; absent until one was. */
  nextAt: number | undefined;
}

/**
 * Decides which openers to an agent the broker has to acknowledge, since only that tells at once what has become of them. As long as nobody is
 * known to serve, all of them; then, as brokers permit some operations and drop others without a word, the first few of each operation, and
 * once one of those was taken, one a second.
 */
export class Canary {
  readonly #known = new Map<string, Known>();
  #aliveUntil = Number.NEGATIVE_INFINITY;

  /** Whether the opener that leaves now is to be acknowledged. */
  wanted(type: string, now: number): boolean {
    // Nothing was sent for a while: it is not known any more.
    if (now >= this.#aliveUntil) {
      this.#known.clear();
      return true;
    }
    const known = this.#of(type);
    if (known.nextAt === undefined) {
      if (known.asking >= MAX_ASKING) return false;
      known.asking++;
      return true;
    }
    if (now < known.nextAt) return false;
    this.#vouch(known, now);
    return true;
  }

  /** What the broker said of one of them: nothing when it was taken. */
  told(type: string, error: ParleyError | undefined, now: number): void {
    if (error?.code === "permission_denied") this.#known.delete(type);
    // Mostly nobody is there, for any of them.
    else if (error) this.#aliveUntil = Number.NEGATIVE_INFINITY;
    else {
      const known = this.#of(type);
      if (known.nextAt === undefined) this.#vouch(known, now);
    }
  }

  #vouch(known: Known, now: number): void {
    known.nextAt = now + ALIVE_MS;
    this.#aliveUntil = known.nextAt + ALIVE_MS;
  }

  #of(type: string): Known {
    const known = this.#known.get(type) ?? { asking: 0, nextAt: undefined };
    if (!this.#known.has(type)) {
      if (this.#known.size >= MAX_TYPES) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.set(type, known);
    }
    return known;
  }
}

import type { From } from "../tap/tap.ts";

/** What is wrong with one direction of a link. Nothing given: nothing is. */
export interface DirectionFaults {
  /** Delay of every byte, ms. */
  readonly latencyMs?: number | undefined;
  /** Up to so much more or less delay, ms; order is kept. */
  readonly jitterMs?: number | undefined;
  /** What passes in a second, all connections together. */
  readonly bytesPerSecond?: number | undefined;
  /**
   * The connection ends, in both directions, when so many bytes have passed in this one: counted from its start, or, where it is open already, from
   * now. 0: at once.
   */
  readonly cutAfterBytes?: number | undefined;
  /** How a connection is cut. @default "fin" */
  readonly cut?: "fin" | "rst" | undefined;
  /** Takes everything and passes nothing, no end either: half of a half-open link. */
  readonly drop?: boolean | undefined;
  /** The end (FIN) arrives so much later, ms. `Infinity`: never. */
  readonly endDelayMs?: number | undefined;
  /** At most so many bytes in one write, each in a turn of its own. */
  readonly sliceBytes?: number | undefined;
  /** Keeps bytes back until there are so many, or none came for 20 ms: many writes become one. */
  readonly coalesceBytes?: number | undefined;
}

/** What is wrong with a link, by who sends. */
export type Faults = Readonly<Partial<Record<From, DirectionFaults>>>;

/** The same fault in both directions. */
export function bothWays(faults: DirectionFaults): Faults {
  return { dialler: faults, listener: faults };
}

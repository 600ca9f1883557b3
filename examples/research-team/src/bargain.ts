import type { Claim } from "./contracts.ts";

/** What somebody bargains for. */
export interface Stake {
  /** Lines to share out. */
  readonly lines: number;
  /** Weight of the own evidence, and of the other's. */
  readonly own: number;
  readonly other: number;
}

/** Makes the next claim; `left` is what the other has left of the lines, once it has claimed any. */
export type Bargain = (left?: number) => Claim;

/**
 * Bargains by monotonic concession (Rosenschein and Zlotkin, "Rules of Encounter", 1994): claims all lines at first, one less each time,
 * never less than the share that its evidence earns, and accepts what is no worse than its own next claim. Since the two shares are never
 * more than there are lines, two that bargain so come to terms.
 */
export function bargain({ lines, own, other }: Stake): Bargain {
  const earned = own + other === 0 ? 0 : Math.floor((lines * own) / (own + other));
  let claimed = lines + 1;
  return (left = -1) => {
    claimed = Math.max(earned, claimed - 1);
    return left >= claimed ? { lines: left, accepted: true } : { lines: claimed, accepted: false };
  };
}

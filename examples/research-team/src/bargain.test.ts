import { expect, it } from "vitest";
import { bargain } from "./bargain.ts";

/** Two that bargain with one another: what the first and the second get, and after how many claims. */
function outcome(lines: number, one: number, two: number): { shares: readonly [number, number]; claims: number } {
  const sides = [bargain({ lines, own: one, other: two }), bargain({ lines, own: two, other: one })] as const;
  let left: number | undefined;
  for (let claims = 1; ; claims++) {
    const turn = (claims - 1) % 2;
    const claim = (sides[turn] ?? sides[0])(left);
    if (claim.accepted) {
      const rest = lines - claim.lines;
      return { shares: turn === 0 ? [claim.lines, rest] : [rest, claim.lines], claims };
    }
    left = lines - claim.lines;
  }
}

it("two of equal strength share evenly, and the one who claimed first gives way", () => {
  expect(outcome(5, 7, 7).shares).toEqual([2, 3]);
  expect(outcome(4, 7, 7).shares).toEqual([2, 2]);
});

it("whatever the strengths, they come to terms, all lines are shared out, and nobody gets less than was earned", () => {
  for (let lines = 1; lines <= 8; lines++) {
    for (let one = 0; one <= 12; one++) {
      for (let two = 0; two <= 12; two++) {
        const { shares, claims } = outcome(lines, one, two);
        const earned = (own: number, other: number): number =>
          own === 0 ? 0 : Math.floor((lines * own) / (own + other));
        expect(shares[0] + shares[1]).toBe(lines);
        expect(shares[0]).toBeGreaterThanOrEqual(earned(one, two));
        expect(shares[1]).toBeGreaterThanOrEqual(earned(two, one));
        expect(claims).toBeLessThanOrEqual(2 * lines + 2);
      }
    }
  }
});

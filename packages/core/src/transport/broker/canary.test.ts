import { expect, test } from "vitest";
import { AuthenticationError, TransportError } from "../../call/error.ts";
import { Canary } from "./canary.ts";

const forbidden = new AuthenticationError("permission_denied", "not yours", { outcome: "not-sent" });
const nobody = new TransportError("unavailable", "nobody there", { outcome: "not-sent" });

/** How many of so many openers that leave at once are to be acknowledged. */
function wanted(canary: Canary, type: string, count: number, now: number): number {
  return Array.from({ length: count }, () => canary.wanted(type, now)).filter((one) => one).length;
}

test("all openers are acknowledged until one was taken, and again after two seconds without one", () => {
  const canary = new Canary();
  expect(wanted(canary, "a", 100, 0)).toBe(100);
  canary.told("a", undefined, 10);
  expect(wanted(canary, "a", 100, 1_009)).toBe(0);
  expect(wanted(canary, "a", 100, 2_010)).toBe(100);
});

test("one a second is acknowledged of an operation that was taken", () => {
  const canary = new Canary();
  canary.told("a", undefined, 0);
  expect([500, 1_000, 1_500, 2_000, 2_500].map((now) => wanted(canary, "a", 100, now))).toEqual([0, 1, 0, 1, 0]);
});

test("of an operation that was not taken yet the first few are acknowledged, fewer than make others wait", () => {
  const canary = new Canary();
  canary.told("a", undefined, 0);
  expect(wanted(canary, "b", 100, 1)).toBe(16);
  canary.told("b", undefined, 2);
  expect(wanted(canary, "b", 100, 3)).toBe(0);
});

test("an operation that is forbidden is asked about again, and vouches neither for nor against others", () => {
  const canary = new Canary();
  canary.told("a", undefined, 0);
  for (const now of [1, 2, 3]) {
    expect(canary.wanted("b", now)).toBe(true);
    canary.told("b", forbidden, now);
  }
  expect(canary.wanted("a", 4)).toBe(false);
});

test("that nobody is there is so for all operations", () => {
  const canary = new Canary();
  canary.told("a", undefined, 0);
  canary.told("b", nobody, 1);
  expect(wanted(canary, "a", 100, 2)).toBe(100);
});

test("a bounded number of operations is remembered; what is forgotten is asked about again", () => {
  const canary = new Canary();
  for (let n = 0; n <= 256; n++) canary.told(`t${n}`, undefined, 0);
  expect(canary.wanted("t256", 1)).toBe(false);
  expect(canary.wanted("t0", 1)).toBe(true);
});

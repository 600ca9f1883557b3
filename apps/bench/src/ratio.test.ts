import { describe, expect, it } from "vitest";
import { median, pairedRatio } from "./ratio.ts";

describe("pairedRatio", () => {
  it("divides round by round, so that a slow round of the machine changes nothing", () => {
    expect(pairedRatio([200, 20, 210], [100, 10, 100])).toEqual({ median: 2, min: 2, max: 2.1 });
  });

  it("refuses rounds without a partner, and no rounds", () => {
    expect(() => pairedRatio([1, 2], [1])).toThrow("there are 2 and 1");
    expect(() => pairedRatio([], [])).toThrow(RangeError);
  });
});

describe("median", () => {
  it("is the middle value, and between two the mean", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 9, 1, 2])).toBe(5.5);
    expect(median([])).toBeNaN();
  });
});

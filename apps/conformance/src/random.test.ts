import { expect, it } from "vitest";
import { randomFrom } from "./random.ts";

it("the same words give the same sequence, other words another", () => {
  const draw = (...words: readonly string[]) => {
    const random = randomFrom(...words);
    return [random.hex(16), random.int(1000), [...random.bytes(4)], random.pick(["a", "b", "c", "d"])];
  };
  expect(draw("seed", "RR-01")).toEqual(draw("seed", "RR-01"));
  expect(draw("seed", "RR-01")).not.toEqual(draw("seed", "RR-02"));
  expect(draw("seed", "RR-01")).not.toEqual(draw("other", "RR-01"));
});

it("numbers stay below their bound and reach all of it", () => {
  const random = randomFrom("bound");
  const seen = new Set(Array.from({ length: 1000 }, () => random.int(8)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

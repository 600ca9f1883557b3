import { expect, it } from "vitest";
import { CallNumbers } from "./call-numbers.ts";
import { isAfter, nextSeq } from "./seq.ts";

it("numbers are odd from the side that dialled and even from the other", () => {
  const dialler = new CallNumbers(true);
  const listener = new CallNumbers(false);
  const free = () => false;
  expect([dialler.take(free), dialler.take(free), dialler.take(free)]).toEqual([1, 3, 5]);
  expect([listener.take(free), listener.take(free)]).toEqual([2, 4]);
});

it("numbers in use are skipped", () => {
  expect(new CallNumbers(true).take((number) => number < 9)).toBe(9);
});

it("the peer's numbers must be its own and must rise", () => {
  const numbers = new CallNumbers(false);
  expect([1, 3, 3, 1, 7, 8].map((number) => numbers.accept(number))).toEqual([true, true, false, false, true, false]);
});

it("counting goes round at 2^31", () => {
  expect(nextSeq(2 ** 31 - 1)).toBe(0);
  expect(isAfter(1, 2 ** 31 - 1)).toBe(true);
  expect(isAfter(2 ** 31 - 1, 1)).toBe(false);
});

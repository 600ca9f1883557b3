import { expect, test } from "vitest";
import { fastestMs } from "../../test/fastest.ts";
import { nearest } from "./nearest.ts";

test("the closest comes first, what is far off does not come", () => {
  expect(nearest("sumarize", ["tokens", "summarise", "summarize"])).toEqual(["summarize", "summarise"]);
  expect(nearest("xyz", ["summarize", "tokens"])).toEqual([]);
});

test("at most three are named", () => {
  expect(nearest("a", ["a1", "a2", "a3", "a4"])).toHaveLength(3);
});

test("a name as long as an envelope takes costs little", () => {
  const names = Array.from({ length: 100 }, (_, index) => "b".repeat(1_000) + index);
  expect(fastestMs(() => nearest("a".repeat(100_000), names))).toBeLessThan(500);
});

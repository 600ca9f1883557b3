import { expect, test } from "vitest";
import { boundedTimeout } from "./stream-guard.ts";

test.each([
  ["1n", "1n"],
  ["0n", "0n"],
  ["99999999m", "99999999m"],
  ["2147483S", "2147483S"],
  ["2147484S", "2147483S"],
  ["35791M", "35791M"],
  ["35792M", "2147483S"],
  ["596H", "596H"],
  ["597H", "2147483S"],
  ["99999999H", "2147483S"],
  ["100000000n", "malformed"],
  ["-1S", "malformed"],
  ["1x", "malformed"],
  ["1", "malformed"],
  ["S", "malformed"],
  ["", "malformed"],
  ["1S, 2S", "malformed"],
  [undefined, "malformed"],
  [["1S", "2S"], "malformed"],
])("the timeout %j is taken as %s", (timeout, expected) => {
  expect(boundedTimeout(timeout)).toBe(expected);
});

import { expect, it } from "vitest";
import { SlotMap } from "./slot-map.ts";

it("is a map", () => {
  const map = new SlotMap<number, string>();
  map.set(1, "one");
  map.set(2, "two");
  map.set(2, "deux");
  expect([map.size, map.has(2), map.get(2), map.has(3), map.get(3)]).toEqual([2, true, "deux", false, undefined]);
  expect([...map.values()]).toEqual(["one", "deux"]);
  expect([map.delete(1), map.delete(1), map.size]).toEqual([true, false, 1]);
  expect([...map.values()]).toEqual(["deux"]);
});

it("goes through what it held at the start, but for what has been deleted since", () => {
  const map = new SlotMap<number, string>();
  for (const [key, value] of ["one", "two", "three"].entries()) map.set(key, value);
  const seen: string[] = [];
  for (const value of map.values()) {
    seen.push(value);
    map.delete(1);
    map.set(7, "later");
  }
  expect(seen).toEqual(["one", "three"]);
});

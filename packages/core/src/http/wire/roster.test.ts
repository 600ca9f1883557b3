import { expect, test } from "vitest";
import { Roster } from "./roster.ts";

test("who has left is not in, whoever leaves first", () => {
  const roster = new Roster<{ place: number; name: number }>();
  const members = Array.from({ length: 100 }, (_, name) => ({ place: -1, name }));
  for (const member of members) roster.add(member);
  for (const [index, member] of members.entries()) if (index % 3 !== 0) roster.delete(member);
  const left = members.filter((_, index) => index % 3 === 0);
  expect(new Set(roster)).toEqual(new Set(left));
  expect(roster.size).toBe(left.length);
  for (const member of left) roster.delete(member);
  expect([...roster]).toEqual([]);
});

test("whoever leaves twice takes nobody along", () => {
  const roster = new Roster<{ place: number }>();
  const [first, second, third] = [{ place: -1 }, { place: -1 }, { place: -1 }];
  for (const member of [first, second, third]) roster.add(member);
  roster.delete(first);
  roster.delete(first);
  roster.delete({ place: -1 });
  expect(new Set(roster)).toEqual(new Set([second, third]));
  roster.delete(third);
  roster.delete(third);
  expect([...roster]).toEqual([second]);
});

test("members may leave while it is gone through", () => {
  const roster = new Roster<{ place: number }>();
  for (let n = 0; n < 5; n++) roster.add({ place: -1 });
  let seen = 0;
  for (const member of roster) {
    seen++;
    roster.delete(member);
  }
  expect([seen, roster.size]).toEqual([5, 0]);
});

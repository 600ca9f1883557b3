import { describe, expect, it } from "vitest";
import { same } from "./same.ts";

describe("two messages", () => {
  it.each([
    ["equal trees, keys in any order", { a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }],
    ["objects with and without a prototype", { a: 1 }, Object.assign(Object.create(null), { a: 1 })],
    ["equal bytes", { data: Uint8Array.of(1, 2) }, { data: Uint8Array.of(1, 2) }],
    ["own keys named __proto__", JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
  ])("are the same: %s", (_, one, other) => {
    expect(same(one, other)).toBe(true);
  });

  it.each([
    ["-0 and 0", -0, 0],
    ["null and absent", { a: null }, {}],
    ["undefined and absent", { a: undefined }, {}],
    ["a list and an object of its items", ["x"], { 0: "x" }],
    ["bytes and the list of them", Uint8Array.of(1), [1]],
    ["NFC and NFD", "caf\u00e9", "cafe\u0301"],
    ["an inherited and an own key", Object.create({ a: 1 }), { a: 1 }],
    ["own and inherited __proto__", JSON.parse('{"__proto__":{"a":1}}'), {}],
  ])("differ: %s", (_, one, other) => {
    expect(same(one, other)).toBe(false);
  });
});

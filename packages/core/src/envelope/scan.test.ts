import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDeeper, scan } from "./scan.ts";

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

const look = (text: string) => scan(text, 1_000, 1_000);

describe("a look over JSON text", () => {
  it("finds the depth and the members of any value", () => {
    const awkward = fc.constantFrom('"', "\\", '\\"', "{", "}", "[", "]", ":", ",", "a", "é", "😈");
    const key = fc.string({ unit: awkward, maxLength: 6 });
    const values = fc.jsonValue({ maxDepth: 6, stringUnit: awkward });
    fc.assert(
      fc.property(fc.dictionary(key, values, { maxKeys: 8 }), fc.boolean(), (value, spaced) => {
        const text = JSON.stringify(value, undefined, spaced ? 2 : 0);
        expect(look(text)).toEqual({ depth: depthOf(value), members: Object.keys(value).length });
        for (const bound of [1, 3, 5]) expect(isDeeper(text, bound)).toBe(depthOf(value) > bound);
      }),
    );
  });

  it("counts repeated names each time, however they are written", () => {
    expect(look('{"a":1,"a":2}').members).toBe(2);
    expect(look('{ "a" : 1 , "\\u0061" : {"b":1,"c":2} }').members).toBe(2);
  });

  it("stops at its bounds", () => {
    expect(scan("[".repeat(100), 10, 1)).toEqual({ depth: 11, members: 0 });
    expect(scan(`{${'"a":1,'.repeat(100)}`, 10, 5).members).toBe(6);
  });

  it("goes through long text, too", () => {
    const long = JSON.stringify({ text: "☃{".repeat(50_000), deep: [[["x"]]] });
    expect(look(long)).toEqual({ depth: 4, members: 2 });
  });

  it("ends on text that is not JSON", () => {
    for (const text of ["", '"', '"\\', '{"a', "}}}}", '"\\"', "nul", "\ud800"])
      expect(look(text).depth).toBeLessThan(2);
  });
});

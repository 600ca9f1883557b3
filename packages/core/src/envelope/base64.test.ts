import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, portableFromBase64, portableToBase64, toBase64 } from "./base64.ts";

const ways = [
  ["of this runtime", toBase64, fromBase64],
  ["of any runtime", portableToBase64, portableFromBase64],
] as const;

describe.each(ways)("base64 %s", (_, to, from) => {
  it("brings all bytes back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(to(bytes)).toBe(Buffer.from(bytes).toString("base64"));
        expect(from(to(bytes))).toEqual(bytes);
      }),
    );
  });

  it("takes long arrays, and views into others", () => {
    const long = Uint8Array.from({ length: 100_001 }, (_byte, index) => index * 7);
    expect(from(to(long))).toEqual(long);
    expect(to(long.subarray(3, 6))).toBe(to(long.slice(3, 6)));
  });

  it("gives an array that shares its memory with nothing", () => {
    const bytes = from("aGVsbG8=");
    expect(bytes?.constructor).toBe(Uint8Array);
    expect(bytes?.buffer.byteLength).toBe(5);
  });

  it.each([
    ["without padding", "aGVsbG8"],
    ["with too little padding", "aA="],
    ["with padding in the middle", "aA==aGVs"],
    ["with nothing but padding", "===="],
    ["with bits that belong to no byte", "aB=="],
    ["in the URL-safe alphabet", "-_-_"],
    ["with white space", "aGVs\nbG8="],
    ["with white space of a length that fits", "aGV \n\t \n"],
    ["with a foreign character", "aGV!"],
    ["beyond ASCII", "aGVé"],
    ["that is a data URL", "data:;base64,aGVs"],
  ])("refuses text %s", (_case, text) => {
    expect(from(text)).toBeUndefined();
  });
});

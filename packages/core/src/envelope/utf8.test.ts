import fc from "fast-check";
import { expect, it } from "vitest";
import { countBytes, utf8Length } from "./utf8.ts";

it("the length in UTF-8 is the same with and without Node", () => {
  const texts = fc.string({
    unit: fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.string(),
    ),
  });
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = new TextEncoder().encode(text).length;
      expect([utf8Length(text), countBytes(text)]).toEqual([bytes, bytes]);
    }),
  );
});

it.each([
  ["", 0],
  ["a", 1],
  ["é", 2],
  ["☃", 3],
  ["😈", 4],
  ["\ud83d", 3],
  ["\ude08\ud83d", 6],
])("%j takes %i bytes", (text, bytes) => {
  expect([utf8Length(text), countBytes(text)]).toEqual([bytes, bytes]);
});

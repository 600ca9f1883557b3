import { expect, it } from "vitest";
import { heldBytes } from "../../test/held-bytes.ts";
import { createEnvelope } from "./create.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { reply } from "./follow.ts";

const opener = createEnvelope({ kind: "request", type: "text.summarize.v1", source: "/me", data: 1 });

it.each([
  ["made", opener],
  ["made to answer", reply(opener, "/you", 2)],
  ["read", decode(encode(opener))],
])("an event that was %s is an ordinary object", (_how, event) => {
  expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  expect({ ...event }).toStrictEqual(event);
});

it("who remembers an attribute does not keep the message", () => {
  const text = "x".repeat(64 * 1024);
  const ids: string[] = [];
  const before = heldBytes();
  for (let count = 0; count < 500; count++) {
    // As it comes from a wire: no part of it is in memory elsewhere.
    const frame = Buffer.from(encode(createEnvelope({ kind: "request", type: "a.v1", source: "/me", data: text })));
    ids.push(decode(frame.toString()).id);
  }
  const keptBytes = (heldBytes() - before) / ids.length;
  expect(keptBytes).toBeLessThan(4 * 1024);
});

import { describe, expect, it } from "vitest";
import { HeldBytes } from "./held-bytes.ts";
import { Search, type Until } from "./until.ts";

/** Feeds text in pieces of a size; what stands before the place and after it, once it is there. */
function found(until: Until, text: string, size: number): readonly [string, string] | undefined {
  const search = new Search(until, "utf8");
  const held = new HeldBytes();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) {
    held.push(bytes.subarray(at, at + size));
    const place = search.find(held.bytes);
    if (!place) continue;
    const before = held.take(place.end).subarray(0, place.start).toString();
    return [before, Buffer.concat([held.bytes, bytes.subarray(at + size)]).toString()];
  }
  return undefined;
}

describe("a place is found however the bytes are cut", () => {
  it.each<[Until, string, string, string]>([
    ["=> ", "a = b\n==> c", "a = b\n=", "c"],
    ["€", "1 € 2 € 3", "1 ", " 2 € 3"],
    [/^>>> /m, "a >>> b\n>>> c", "a >>> b\n", "c"],
    [/ord: /, "password: x", "passw", "x"],
    [/^\$ /my, "one\n$ two", "one\n", "two"],
  ])("%s in %j", (until, text, before, after) => {
    for (let size = 1; size <= text.length; size++) expect(found(until, text, size)).toEqual([before, after]);
  });

  it("and not where it only seems that a line begins", () => {
    const text = `${"x".repeat(3_000)}>>> ${"y".repeat(2_000)}`;
    for (const size of [1, 503, 1_024]) expect(found(/^>>> /m, text, size)).toBeUndefined();
  });

  it("though a long time has passed since the last one that nearly was it", () => {
    const text = `${"=".repeat(5_000)}> end`;
    expect(found("=> ", text, 100)).toEqual(["=".repeat(4_999), "end"]);
  });
});

import { expect, test } from "vitest";
import { LineReader } from "./line-reader.ts";

/** The lines that come out when bytes go in by pieces of a size. */
function cut(text: string, size: number, maxLineBytes = 100): string[] {
  const reader = new LineReader(maxLineBytes);
  const bytes = Buffer.from(text);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += size)
    reader.read(bytes.subarray(at, at + size), (line) => lines.push(line));
  return lines;
}

test("lines come out the same however the bytes are cut", () => {
  const text = 'a\n\n{"☺":"😈"}\r\nlast\n \n';
  for (let size = 1; size <= 40; size++) expect(cut(text, size)).toEqual(["a", '{"☺":"😈"}\r', "last"]);
});

test("what follows the last newline waits", () => {
  expect(cut("a\nb", 3)).toEqual(["a"]);
});

test("a line of the limit passes, one byte more is refused, after the lines before it", () => {
  for (const size of [1, 7, 100]) {
    expect(cut(`${"x".repeat(10)}\n`, size, 10)).toHaveLength(1);
    const reader = new LineReader(10);
    const lines: string[] = [];
    expect(() => {
      for (const byte of Buffer.from(`ok\n${"☺".repeat(3)}xy\n`))
        reader.read(Buffer.of(byte), (line) => lines.push(line));
    }).toThrow("over the limit of 10 bytes");
    expect(lines).toEqual(["ok"]);
  }
});

test("a line that does not end is refused before it is kept", () => {
  const reader = new LineReader(10);
  expect(() => reader.read(Buffer.alloc(11, 0x78), () => {})).toThrow("over the limit");
});

test("bytes that are no UTF-8 are refused, not replaced", () => {
  expect(() => new LineReader(10).read(Buffer.from([0xff, 0x0a]), () => {})).toThrow("not UTF-8");
});

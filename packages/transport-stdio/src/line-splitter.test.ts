import { expect, it } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

function splitting(maxBytes: number, delimiter?: string) {
  const lines: string[] = [];
  const tooLong: number[] = [];
  const sink = {
    line: (bytes: Buffer) => lines.push(bytes.toString()),
    tooLong: (start: Buffer) => tooLong.push(start.length),
  };
  const splitter = new LineSplitter(maxBytes, sink, delimiter === undefined ? undefined : Buffer.from(delimiter));
  return { lines, tooLong, splitter };
}

it("lines are the same however the bytes are cut into chunks, characters of several bytes included", () => {
  const text = '{"a":"é😀"}\n\n\r\nlast\n';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const { lines, splitter } = splitting(100);
    for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
    splitter.end();
    expect(lines).toEqual(['{"a":"é😀"}', "", "\r", "last"]);
  }
});

it("what stands without a newline at the end is a line", () => {
  const { lines, splitter } = splitting(100);
  splitter.push(Buffer.from("one\ntwo"));
  splitter.end();
  expect(lines).toEqual(["one", "two"]);
});

it("a line over the limit is cut there and told once, the next one is whole", () => {
  for (const size of [1, 3, 4, 5, 1_000]) {
    const { lines, tooLong, splitter } = splitting(4);
    const bytes = Buffer.from(`1234\n${"x".repeat(50)}\nnext\n12345`);
    for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
    splitter.end();
    expect(lines).toEqual(["1234", "next"]);
    expect(tooLong).toEqual([5, 5]);
  }
});

it("a delimiter of several bytes is found however they are cut, and half of one is part of its line", () => {
  const bytes = Buffer.from("one\r\ntwo\r\r\n\n\r\n\r\nlast\r");
  for (let size = 1; size <= bytes.length; size++) {
    const { lines, splitter } = splitting(100, "\r\n");
    for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
    splitter.end();
    expect(lines).toEqual(["one", "two\r", "\n", "", "last\r"]);
  }
});

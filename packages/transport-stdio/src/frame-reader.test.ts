import { createEnvelope, encode } from "@parley/core/transport";
import { expect, it } from "vitest";
import { FrameReader, MAX_BAD_LINES } from "./frame-reader.ts";

const frame = encode(createEnvelope({ kind: "notify", type: "test.a.v1", source: "/test", data: "é" }));
const foreign = '{"id":"1","source":"/sh","type":"a.v1","specversion":"1.0","data":1}';

function reading(maxMessageBytes = 4096) {
  const frames: string[] = [];
  let refused = 0;
  const events = {
    frame: (text: string) => void frames.push(text),
    refused: () => void refused++,
  };
  const reader = new FrameReader(events, { maxMessageBytes, peer: "test", log: undefined });
  return { reader, frames, refused: () => refused };
}

it.each([
  ["log text", "started\n"],
  ["colours", "\x1b[31mred\x1b[0m\n"],
  ["a blank line", "\n"],
  ["a blank line of Windows", "\r\n"],
  ["a byte order mark later on", "\n\ufeff\n"],
  ["half a character", Buffer.from([0xf0, 0x9f, 0x0a])],
  ["a JSON log", '{"level":30,"msg":"hello"}\n'],
  ["a cut JSON log", '{"level":30,"ms\n'],
  ["an array", "[1]\n"],
  ["a frame behind a prompt", `> ${frame}\n`],
])("%s is counted and skipped, and the next frame is read", (_, noise) => {
  const { reader, frames, refused } = reading();
  reader.push(Buffer.from(`${frame}\n`));
  reader.push(Buffer.from(noise));
  reader.push(Buffer.from(`${foreign}\r\n${frame}\n`));
  expect(frames).toEqual([frame, foreign, frame]);
  expect(refused()).toBe(Buffer.from(noise).toString().split("\n").length - 1);
});

it("a byte order mark before the first line is no part of it", () => {
  const { reader, frames, refused } = reading();
  reader.push(Buffer.from(`\ufeff${frame}\n`));
  expect(frames).toEqual([frame]);
  expect(refused()).toBe(0);
});

it("a frame whose text is no UTF-8 is not repaired", () => {
  const { reader, frames, refused } = reading();
  const bytes = Buffer.from(`${frame}\n`);
  bytes[bytes.indexOf("é")] = 0xff;
  reader.push(bytes);
  expect(frames).toEqual([]);
  expect(refused()).toBe(1);
  const replacement = foreign.replace(":1}", ':"\ufffd"}');
  reader.push(Buffer.from(`${replacement}\n`));
  expect(frames).toEqual([replacement]);
});

it("a line that begins as Parley's events do goes to the connection, since a message was lost when it is none", () => {
  const { reader, frames } = reading();
  reader.push(Buffer.from('{"specversion":"1.0","parl\n'));
  expect(frames).toEqual(['{"specversion":"1.0","parl']);
});

it("after ten lines in a row that only look like frames the next goes to the connection", () => {
  const { reader, frames, refused } = reading();
  const bad = '{"level":30}\n'.repeat(MAX_BAD_LINES);
  reader.push(Buffer.from(`${bad}log text\n${frame}\n${bad}`));
  expect(frames).toEqual([frame]);
  expect(refused()).toBe(2 * MAX_BAD_LINES + 1);
  reader.push(Buffer.from("{}\n"));
  expect(frames).toEqual([frame, "{}"]);
});

it("a line over the limit is noise, unless it may be a frame", () => {
  const { reader, frames, refused } = reading(1_000);
  reader.push(Buffer.from(`${"x".repeat(5_000)}\n${frame}\n`));
  expect(frames).toEqual([frame]);
  expect(refused()).toBe(1);
  reader.push(Buffer.from(`{"data":"${"é".repeat(5_000)}`));
  expect(frames[1]?.length).toBe(1_001);
});

it("a frame that is cut by the end of the stream is noise, and a whole one without a newline is read", () => {
  const cut = reading();
  cut.reader.push(Buffer.from(frame.slice(0, -2)));
  cut.reader.end();
  expect(cut.frames).toEqual([]);
  expect(cut.refused()).toBe(1);
  const whole = reading();
  whole.reader.push(Buffer.from(frame));
  whole.reader.end();
  expect(whole.frames).toEqual([frame]);
});

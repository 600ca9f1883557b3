import { describe, expect, it } from "vitest";
import { type Cursor, readEvents, type SseEvent } from "./read-events.ts";

const encoder = new TextEncoder();

async function* chunked(bytes: Uint8Array, ...at: number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const to of [...at, bytes.length]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

/** Events, as `name|data|id`, and where the reader is at the end. */
async function read(chunks: AsyncIterable<Uint8Array>, cursor: Cursor = { id: "", retryMs: undefined }) {
  const events: string[] = [];
  for await (const { event, data, id } of readEvents(chunks, cursor, 1_000)) events.push(`${event}|${data}|${id}`);
  return { events, id: cursor.id, retryMs: cursor.retryMs };
}

/** A stream, the events that the HTML standard reads in it, and the cursor. */
type Vector = readonly [name: string, text: string, events: readonly string[], end?: { id?: string; retryMs?: number }];

/** The rules of the HTML Living Standard, 9.2.5 and 9.2.6, and its examples. */
const vectors: readonly Vector[] = [
  ["one line of data", "data: one\n\n", ["message|one|"]],
  ["lines that end with CR", "data: one\r\rdata: two\r\r", ["message|one|", "message|two|"]],
  ["lines that end with CRLF", "data: one\r\n\r\ndata: two\r\n\r\n", ["message|one|", "message|two|"]],
  ["all line ends mixed", "data:a\ndata:b\r\ndata:c\rdata:d\n\r\n", ["message|a\nb\nc\nd|"]],
  ["CR and then LF is one end", "data: one\r\ndata: two\n\n", ["message|one\ntwo|"]],
  ["LF and then CR are two ends", "data: one\n\rdata: two\n\n", ["message|one|", "message|two|"]],
  ["several lines of data", "data: YHOO\ndata: +2\ndata: 10\n\n", ["message|YHOO\n+2\n10|"]],
  ["a byte order mark at the beginning", "\uFEFFdata: one\n\n", ["message|one|"]],
  ["only one byte order mark is taken away", "\uFEFF\uFEFFdata: one\n\ndata: two\n\n", ["message|two|"]],
  [
    "a byte order mark further on is part of a name",
    "data: one\n\n\uFEFFdata: two\n\ndata: 3\n\n",
    ["message|one|", "message|3|"],
  ],
  ["comments", ": hello\ndata: one\n:\n: data: two\n\n", ["message|one|"]],
  ["a comment alone", ": keep alive\n\n", []],
  ["blank lines alone", "\n\n\n", []],
  [
    "one space after the colon is taken away",
    "data:one\n\ndata: one\n\ndata:  one\n\n",
    ["message|one|", "message|one|", "message| one|"],
  ],
  ["a tab is no space", "data:\tone\n\n", ["message|\tone|"]],
  ["spaces at the end stay", "data: one  \n\n", ["message|one  |"]],
  ["a space before the colon is part of the name", "data : one\n\ndata: two\n\n", ["message|two|"]],
  ["a space before the name is part of it", " data: one\n\ndata: two\n\n", ["message|two|"]],
  ["colons in the value", "data:a:b: c\n\n", ["message|a:b: c|"]],
  ["data without a colon is empty", "data\n\n", ["message||"]],
  ["data with a colon and nothing else is empty", "data:\n\n", ["message||"]],
  ["two empty lines of data are a line end", "data\ndata\n\n", ["message|\n|"]],
  ["the example of empty data", "data\n\ndata\ndata\n\ndata:", ["message||", "message|\n|"]],
  ["an event without data is none", "event: ping\n\ndata: one\n\n", ["message|one|"]],
  ["a name", "event: add\ndata: 73857293\n\n", ["add|73857293|"]],
  ["a name holds for one event", "event: add\ndata: 1\n\ndata: 2\n\n", ["add|1|", "message|2|"]],
  ["an empty name is the usual one", "event: add\nevent:\ndata: 1\n\n", ["message|1|"]],
  ["the last of several names", "event: a\nevent: b\ndata: 1\n\n", ["b|1|"]],
  ["a name without a colon", "event\ndata: 1\n\n", ["message|1|"]],
  ["names of fields are compared exactly", "Data: one\nDATA: two\ndata: three\n\n", ["message|three|"]],
  ["unknown fields", "foo: bar\ndatas: x\ndata: one\nfoo\n\n", ["message|one|"]],
  ["an id", "id: 1\ndata: one\n\n", ["message|one|1"], { id: "1" }],
  ["an id lasts", "id: 1\ndata: one\n\ndata: two\n\n", ["message|one|1", "message|two|1"], { id: "1" }],
  ["an empty id clears it", "id: 1\ndata: one\n\nid\ndata: two\n\n", ["message|one|1", "message|two|"], { id: "" }],
  ["an id with NUL is ignored", "id: 1\n\nid: a\0b\ndata: one\n\n", ["message|one|1"], { id: "1" }],
  ["an id without data is kept", "id: 7\n\n", [], { id: "7" }],
  ["an id beyond ASCII", "id: …\ndata: one\n\n", ["message|one|…"], { id: "…" }],
  [
    "an id whose event is not complete does not count",
    "id: 1\ndata: one\n\nid: 2\ndata: two\n",
    ["message|one|1"],
    { id: "1" },
  ],
  ["retry", "retry: 3000\ndata: one\n\n", ["message|one|"], { retryMs: 3_000 }],
  ["retry alone, without a blank line", "retry: 10\n", [], { retryMs: 10 }],
  ["retry with anything but digits", "retry: 3s\nretry: -1\nretry: 1.5\nretry: 0x10\nretry:\nretry\n\n", []],
  ["retry with leading zeros", "retry: 0050\n\n", [], { retryMs: 50 }],
  ["an event without a blank line at its end is none", "data: one\n\ndata: two\n", ["message|one|"]],
  ["a line without an end is none", "data: one\n\ndata: two", ["message|one|"]],
  ["bytes that are not UTF-8", "data: a\xFFb\n\n", ["message|a\uFFFDb|"]],
  ["characters of several bytes", "data: ä€😀\n\n", ["message|ä€😀|"]],
  ["NUL in data", "data: a\0b\n\n", ["message|a\0b|"]],
  ["line separators of Unicode are no line ends", "data: a\u2028b\u0085c\n\n", ["message|a\u2028b\u0085c|"]],
  [
    "the standard's example",
    ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
    ["message|first event|1", "message|second event|", "message| third event|"],
  ],
];

/** `\xFF` stands for that byte; the rest is UTF-8. */
function bytesOf(text: string): Uint8Array {
  return Buffer.concat(
    text.split("\xFF").flatMap((part, index) => [...(index > 0 ? [Buffer.of(0xff)] : []), encoder.encode(part)]),
  );
}

describe("an event stream", () => {
  for (const [name, text, events, { id = "", retryMs } = {}] of vectors) {
    it(name, async () => {
      const bytes = bytesOf(text);
      const expected = { events, id, retryMs };
      expect(await read(chunked(bytes))).toEqual(expected);
      const everywhere = Array.from(bytes.keys());
      expect(await read(chunked(bytes, ...everywhere))).toEqual(expected);
      for (const at of everywhere) expect(await read(chunked(bytes, at))).toEqual(expected);
    });
  }

  it("tells of retry with the event that follows it", async () => {
    const events: SseEvent[] = [];
    const text = "data: a\n\nretry: 5\n\ndata: b\n\ndata: c\n\n";
    const cursor = { id: "", retryMs: undefined };
    for await (const event of readEvents(chunked(encoder.encode(text)), cursor, 100)) events.push(event);
    expect(events.map(({ data, retryMs }) => [data, retryMs])).toEqual([
      ["a", undefined],
      ["b", 5],
      ["c", undefined],
    ]);
  });

  it("goes on where the cursor is", async () => {
    const cursor = { id: "41", retryMs: 7 };
    expect(await read(chunked(encoder.encode("data: x\n\n")), cursor)).toEqual({
      events: ["message|x|41"],
      id: "41",
      retryMs: 7,
    });
  });

  it.each([
    ["a line without an end", "data: ", "x"],
    ["an event without an end", "", "data: xxxxxxxxx\n"],
    ["a name without an end", "event: ", "x"],
    ["an id without an end", "id: ", "x"],
  ])("%s is refused when it is over the limit, after what came before", async (_name, begin, repeated) => {
    async function* endless() {
      yield encoder.encode(`data: one\n\n${begin}`);
      for (let sent = 0; ; sent++) {
        if (sent > 1_000) throw new Error("read on far beyond the limit");
        yield encoder.encode(repeated.repeat(20));
      }
    }
    const events: string[] = [];
    const reading = (async () => {
      for await (const { data } of readEvents(endless(), { id: "", retryMs: undefined }, 1_000)) events.push(data);
    })();
    await expect(reading).rejects.toMatchObject({ code: "resource_exhausted", outcome: "unknown" });
    expect(events).toEqual(["one"]);
  });

  it("comments and unknown fields of any length take no room", async () => {
    async function* long() {
      yield encoder.encode(": ");
      for (let sent = 0; sent < 100; sent++) yield encoder.encode("x".repeat(1_000));
      yield encoder.encode("\nunknown: ");
      for (let sent = 0; sent < 100; sent++) yield encoder.encode("x".repeat(1_000));
      yield encoder.encode("\ndata: one\n\n");
    }
    expect((await read(long())).events).toEqual(["message|one|"]);
  });
});

import { describe, expect, it } from "vitest";
import { ValidationError } from "../call/error.ts";
import { createEnvelope } from "./create.ts";
import { decode } from "./decode.ts";
import { encode, encodeHeader } from "./encode.ts";
import { type Envelope, hopAttributes } from "./envelope.ts";

const message = createEnvelope({
  kind: "request",
  type: "text.summarize.v1",
  source: "/me",
  id: "1",
  time: "2026-01-31T12:00:00.000Z",
});
const foreign: Envelope = { specversion: "1.0", id: "A234", source: "/mine", type: "com.example.v1" };

describe("an encoded message", () => {
  it("is one CloudEvent in JSON, on one line", () => {
    expect(encode({ ...message, subject: "a/b", mine: -7, flag: true, data: { text: "a\nb" } })).toBe(
      '{"specversion":"1.0","parley":"1","id":"1","source":"/me","type":"text.summarize.v1","kind":"request",' +
        '"time":"2026-01-31T12:00:00.000Z","subject":"a/b","mine":-7,"flag":true,"data":{"text":"a\\nb"}}',
    );
  });

  it("can be put together from header and data", () => {
    const data = [1, "two"];
    const text = `${encodeHeader(message, { call: 3 })},"data":${JSON.stringify(data)}}`;
    expect(text).toBe(encode({ ...message, data }, { call: 3 }));
    expect(`${encodeHeader(message)}}`).toBe(encode(message));
  });

  it("has the attributes of its hop, in place of its own", () => {
    const arrived = {
      ...message,
      kind: "item",
      call: 1,
      seq: 2,
      timeoutms: 50,
      inreplyto: "old",
      session: "s",
      sn: 9,
      ack: 8,
      high: 7,
      generation: 1,
      credit: 5,
    } as Envelope;
    const sent = JSON.parse(encode(arrived, { call: 4, seq: 7, count: 2, timeoutms: 40, inreplyto: "new" }));
    expect(sent).toEqual({ ...message, kind: "item", call: 4, seq: 7, count: 2, timeoutms: 40, inreplyto: "new" });
    expect(JSON.parse(encode(arrived, { call: 4, seq: undefined, timeoutms: undefined }))).toEqual({
      ...message,
      kind: "item",
      call: 4,
      seq: 2,
      inreplyto: "old",
    });
    expect(Object.keys(JSON.parse(encode(arrived))).filter((name) => hopAttributes.has(name))).toEqual([]);
  });

  it("tells null from nothing, and nothing from no bytes", () => {
    expect(JSON.parse(encode({ ...message, data: null }))).toEqual({ ...message, data: null });
    expect(JSON.parse(encode({ ...message, data: undefined, subject: undefined } as unknown as Envelope))).toEqual(
      message,
    );
    expect(JSON.parse(encode({ ...message, data: new Uint8Array(0) }))).toEqual({ ...message, data_base64: "" });
    expect(JSON.parse(encode({ ...message, data: "" }))).toEqual({ ...message, data: "" });
  });

  it("has bytes as base64, from any view", () => {
    const bytes = Buffer.from("xxhello").subarray(2);
    expect(JSON.parse(encode({ ...message, data: bytes }))).toEqual({ ...message, data_base64: "aGVsbG8=" });
  });

  it("is right whatever message was encoded before", () => {
    const variants: Envelope[] = [
      message,
      { ...message, source: "/other" },
      { ...message, type: "other.v1" },
      { ...message, kind: "notify" },
      { ...message, time: "2026-01-31T12:00:00.001Z" },
      foreign,
      { ...foreign, source: "/other" },
      { ...foreign, kind: "notify" },
    ];
    for (const one of variants)
      for (const other of variants) expect([one, other].map((each) => JSON.parse(encode(each)))).toEqual([one, other]);
  });

  it("may be another's, and hold all that CloudEvents allows", () => {
    const relayed: Envelope = {
      ...foreign,
      id: 'a"b\\c%',
      subject: 'snow ☃ "quoted" C:\\',
      ext: "\u2028 😈",
      empty: "",
      datacontenttype: "text/plain; charset=utf-8",
      data: "☃",
    };
    expect(JSON.parse(encode(relayed))).toEqual(relayed);
    expect(decode(encode(relayed))).toEqual(relayed);
  });

  it("has an id of up to 256 characters, and those of its followers a little longer", () => {
    const id = "x".repeat(256);
    expect(decode(encode({ ...message, id })).id).toBe(id);
    expect(decode(encode({ ...message, kind: "item", id: `${id}.s2147483647` })).id).toHaveLength(268);
    expect(() => encode({ ...message, id: `${id}x` })).toThrow(/at most 256/);
    expect(() => encode({ ...message, kind: "item", id: `${id}.s21474836470` })).toThrow(/at most 256/);
  });

  it("may be as large as a message can be, and still carry what its hop writes", () => {
    const hop = { call: 2 ** 31 - 1, seq: 2 ** 31 - 1, count: 32, timeoutms: 2 ** 31 - 1, inreplyto: "x".repeat(256) };
    const full = (base: Envelope): Envelope => {
      const free = 64 - Object.keys(base).length;
      const many = Object.fromEntries(Array.from({ length: free }, (_, n) => [`x${n}`, "v"]));
      return { ...base, ...many, data: null };
    };
    const long = { ...message, subject: "x".repeat(8_192 - 120) };
    for (const one of [full({ ...message, kind: "item" }), full(foreign), long]) {
      expect(decode(encode(one))).toEqual(one);
      expect(() => encode({ ...one, onemore: "x".repeat(100) })).toThrow(/at most/);
    }
    for (const one of [full({ ...message, kind: "item" }), { ...long, kind: "item" } as const]) {
      expect(decode(encode(one, hop))).toEqual({ ...one, ...hop });
    }
  });

  it.each([
    ["a name outside the grammar", { "X-Evil": "1" }],
    ["a name that misleads", { constructor: "1" }],
    ["a second data", { data_base64: "aGk=" }],
    ["a line break", { subject: "a\r\nX-Evil: 1" }],
    ["an unpaired surrogate", { subject: "\ud800" }],
    ["a value of another type", { ext: { a: 1 } }],
    ["a fraction", { ext: 1.5 }],
    ["an integer of more than 32 bits", { ext: 2 ** 31 }],
    ["a bigint", { ext: 1n }],
    ["another profile", { parley: "2" }],
    ["an unknown kind", { kind: "ask" }],
    ["no id", { id: undefined }],
    ["no source", { source: undefined }],
    ["an empty type", { type: "" }],
    ["a sequence number that is none", { seq: "1" }],
    ["65 attributes", Object.fromEntries(Array.from({ length: 58 }, (_, n) => [`x${n}`, "v"]))],
    ["more than 8 KiB in attributes", { subject: "x".repeat(8_192) }],
    ["data that JSON cannot carry", { data: { a: [Number.NaN] } }],
  ])("with %s is refused", (_case, change) => {
    const act = () => encode({ ...message, ...change } as unknown as Envelope);
    expect(act).toThrow(ValidationError);
    expect(act).toThrow(expect.objectContaining({ code: "invalid_argument", outcome: "not-sent" }));
  });

  it("with a hop that has a wrong number is refused", () => {
    expect(() => encode(message, { call: 1.5 })).toThrow(/"call" must be a whole number/);
    expect(() => encode(message, { timeoutms: 2 ** 31 })).toThrow(/"timeoutms" must be/);
    expect(() => encode(message, { count: 0 })).toThrow(/"count" must be/);
  });
});

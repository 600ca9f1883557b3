import { describe, expect, it } from "vitest";
import { fastestMs } from "../../test/fastest.ts";
import { ParleyError, ValidationError } from "../call/error.ts";
import { decode, readEvent } from "./decode.ts";
import { callKinds, type Envelope, followerKinds } from "./envelope.ts";

const request = {
  specversion: "1.0",
  parley: "1",
  id: "1",
  source: "/me",
  type: "text.summarize.v1",
  kind: "request",
  time: "2026-01-31T12:00:00.000Z",
};
const foreign = { specversion: "1.0", id: "A234-1234-1234", source: "/mycontext", type: "com.example.someevent" };

/** The same event in forms that take different ways through the decoder. */
function forms(event: object): string[] {
  const members = Object.entries(event)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return [
    JSON.stringify(event),
    JSON.stringify(event, undefined, 2),
    `${JSON.stringify(event)}\n`,
    `{${members.toReversed().join(",")}}`,
    `{${members.map((member) => member.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)).join(",")}}`,
  ];
}

function refusal(text: string): ParleyError {
  try {
    decode(text);
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
  throw new Error(`was taken: ${text.slice(0, 200)}`);
}

describe("an event", () => {
  it("is read in whatever form it is written", () => {
    const event = {
      ...request,
      subject: "a/b",
      call: 1,
      timeoutms: 5,
      ext: -1,
      flag: true,
      data: { text: 'a "b"', list: [[], {}] },
    };
    for (const text of forms(event)) expect(decode(text)).toStrictEqual(event);
    for (const text of forms(request)) expect(decode(text)).toStrictEqual(request);
    for (const text of forms(foreign)) expect(decode(text)).toStrictEqual(foreign);
  });

  it.each([...callKinds, ...followerKinds])("can be of kind %s", (kind) => {
    expect(decode(JSON.stringify({ ...request, kind })).kind).toBe(kind);
  });

  it("has null data or none, text or no text, as it was sent", () => {
    for (const data of [null, "", "{}", 0, false, [], {}, '"', "}", '"}', ',"data":1}']) {
      for (const text of forms({ ...request, data })) expect(decode(text)).toStrictEqual({ ...request, data });
    }
    expect("data" in decode(JSON.stringify(request))).toBe(false);
  });

  it("has its bytes as a Uint8Array", () => {
    const bytes = Uint8Array.from({ length: 256 * 16 }, (_, index) => index);
    for (const data of [new Uint8Array(0), bytes.subarray(65, 66), bytes]) {
      for (const text of forms({ ...request, data_base64: Buffer.from(data).toString("base64") })) {
        const event = decode(text);
        expect(event.data).toEqual(Uint8Array.from(data));
        expect(Object.keys(event)).not.toContain("data_base64");
      }
    }
  });

  it("keeps attributes that nobody knows, from a newer sender say", () => {
    const event = { ...request, newattribute: "x", other: 5, flag: false };
    for (const text of forms(event)) expect(decode(text)).toStrictEqual(event);
  });

  it("is no prototype's: names in data stay data", () => {
    const data = JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}');
    for (const text of forms({ ...request, data })) {
      const event = decode(text);
      expect(JSON.stringify(event.data)).toBe(JSON.stringify(data));
      expect("admin" in (event.data as object)).toBe(false);
    }
    expect("admin" in {}).toBe(false);
  });

  it("has numbers of data as they are", () => {
    const data = [Number.MAX_SAFE_INTEGER, 1e308, 5e-324, 0.1];
    expect(decode(JSON.stringify({ ...request, data })).data).toEqual(data);
    expect(decode(`${JSON.stringify(request).slice(0, -1)},"data":-0}`).data).toBe(-0);
  });

  it("has at most 2^31-1 ms left", () => {
    for (const timeoutms of ["2147483647", "2147483648", "1e15", "1e400"]) {
      expect(decode(`${JSON.stringify(request).slice(0, -1)},"timeoutms":${timeoutms}}`).timeoutms).toBe(2 ** 31 - 1);
    }
    expect(decode(JSON.stringify({ ...request, timeoutms: 0 })).timeoutms).toBe(0);
  });
});

describe("a foreign event", () => {
  it("may lack time and have null attributes, which are absent", () => {
    const event = {
      ...foreign,
      time: null,
      subject: null,
      datacontenttype: null,
      parley: null,
      kind: null,
      ext: null,
      data_base64: null,
    };
    for (const text of forms(event)) expect(decode(text)).toStrictEqual(foreign);
    expect(decode(JSON.stringify({ ...foreign, ext: null, data: null }))).toStrictEqual({ ...foreign, data: null });
  });

  it("may hold all that CloudEvents allows", () => {
    const event = {
      ...foreign,
      subject: 'snow ☃, "quoted" 100 % \\',
      datacontenttype: "Application/JSON; charset=UTF-8",
      time: "1985-04-12T23:20:50.52-08:00",
      comexampleextension1: "",
      data: "☃",
    };
    for (const text of forms(event)) expect(decode(text)).toStrictEqual(event);
  });

  it("gets no id, source or type that it has not", () => {
    for (const name of ["id", "source", "type"]) {
      for (const value of [undefined, null, "", 1, {}]) {
        const error = refusal(JSON.stringify({ ...foreign, [name]: value }));
        expect(error).toBeInstanceOf(ValidationError);
        expect(error).toMatchObject({
          code: "invalid_argument",
          outcome: "rejected",
          details: { issues: [{ path: [name] }] },
        });
      }
    }
  });
});

describe("refused is", () => {
  it.each([
    ["an unknown kind", { kind: "ask" }],
    ["a kind of another type", { kind: 1 }],
    ["a call number below zero", { call: -1 }],
    ["a call number in text", { call: "1" }],
    ["a seq with a fraction", { seq: 1.5 }],
    ["a seq of 33 bits", { seq: 2 ** 32 }],
    ["a count of nothing", { kind: "item", seq: 1, count: 0 }],
    ["a count on anything but an item", { seq: 1, count: 2 }],
    ["a count without a seq", { kind: "item", count: 2 }],
    ["time left below zero", { timeoutms: -1 }],
    ["time left in text", { timeoutms: "5s" }],
    ["no kind", { kind: undefined }],
    ["an id of 257 characters", { id: "x".repeat(257) }],
    ["an id of a million characters", { id: "x".repeat(1_000_000) }],
    ["an id with a line break", { id: "1\r\nX-Evil: 1" }],
    ["a type with a bidirectional control", { type: "a\u202eb" }],
    ["a source with a zero-width space", { source: "/a\u200b" }],
    ["a subject with NUL", { subject: "\0" }],
    ["a subject with an unpaired surrogate", { subject: "\ud800" }],
    ["a time that is none", { time: "275761-01-01T00:00:00Z" }],
    ["an object for an attribute", { ext: {} }],
    ["a fraction for an attribute", { ext: 0.5 }],
    ["a name in capitals", { Subject: "a" }],
    ["a name of 21 characters", { [`x${"1".repeat(20)}`]: "a" }],
    ["the name constructor", { constructor: "a" }],
    ["the name prototype", { prototype: "a" }],
    ["data in both forms", { data: 1, data_base64: "aGk=" }],
    ["null data beside bytes", { data: null, data_base64: "aGk=" }],
    ["base64 that is none", { data_base64: "aGk" }],
    ["base64 that is no text", { data_base64: 5 }],
    ["data nested 65 levels deep", { data: JSON.parse("[".repeat(65) + "]".repeat(65)) }],
    [
      "items nested 65 levels deep",
      { kind: "item", seq: 1, count: 1, data: [JSON.parse("[".repeat(65) + "]".repeat(65))] },
    ],
    ["an unpaired surrogate in data", { data: { a: ["\udc00"] } }],
  ])("%s", (_case, change) => {
    for (const text of forms({ ...request, ...change })) {
      expect(refusal(text)).toMatchObject({ code: "invalid_argument", outcome: "rejected" });
    }
  });

  it.each([
    "",
    " ",
    "{",
    "{}",
    "null",
    "[]",
    "1",
    '"text"',
    "[{}]",
    "nonsense",
    "\ufeff{}",
    '{"specversion":"1.0","data":}',
    '{"specversion":"1.0","data_base64":"}',
    '{"specversion":"1.0"}"id":"1"}',
    '{"specversion":"1.0",}',
    '{"specversion":"1.0","id":"1","source":"/","type":"t"}"data":5}',
    '{"specversion":"1.0","id":"1","source":"/","type":"t"}"data_base64":"aGk="}',
    '{"specversion":"1.0","id":"1","source":"/"}"type":"t"}',
    '{"specversion":"1.0","id":"1","source":"/","type":"t","data":5,}',
    '{"specversion":"1.0","id":"1","source":"/","type":"t","data":5}}',
    '{"specversion":"1.0","id":"1","source":"/","type":"t","data":5}{}',
    '{"specversion":"1.0","id":"1","source":"/","type":"t",,"data":5}',
    '{"specversion":"1.0","id":"1","source":"/","type":"t","data":5 6}',
    '{"specversion":"1.0","id":"1","source":"/","type":"t","seq":007}',
    '{"a":01,"data":1}',
  ])("the text %j", (text) => {
    expect(refusal(text)).toMatchObject({ outcome: "rejected" });
  });

  it.each([
    ["an attribute", ',"type":"b"}'],
    ["an attribute of the same length", ',"type":"text.summarize.v2"}'],
    ["an attribute, escaped", ',"\\u0074ype":"b"}'],
    ["an attribute with white space", ' , "type" : "b" }'],
    ["data", ',"data":1,"data":2}'],
    ["data around an attribute", ',"data":{},"type":"b","data":{}}'],
    ["data, as an object", ',"data":{"a":1},"data":{"a":2}}'],
    ["an attribute after data", ',"data":{},"type":"b"}'],
    ["an attribute after data, as an object", ',"data":{},"type":{"a":1}}'],
    ["an attribute after bytes", ',"data_base64":"aGk=","type":"b"}'],
    ["bytes", ',"data_base64":"aGk=","data_base64":"aGk="}'],
    ["a null attribute", ',"type":null}'],
  ])("a repeated name: %s", (_case, rest) => {
    expect(refusal(JSON.stringify(request).slice(0, -1) + rest)).toMatchObject({ code: "invalid_argument" });
  });

  it.each([
    ["__proto__ of the event", '"__proto__":{"kind":"notify"}'],
    ["__proto__ as text", '"__proto__":"a"'],
    ["__proto__, escaped", '"\\u005f_proto__":"a"'],
  ])("%s", (_case, member) => {
    expect(refusal(`{${member},${JSON.stringify(request).slice(1)}`)).toBeInstanceOf(ValidationError);
    expect(refusal(`${JSON.stringify(request).slice(0, -1)},${member}}`)).toBeInstanceOf(ValidationError);
  });

  it("another attribute after the 64th, before anything is built", () => {
    const extensions = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n}`, "v"]));
    for (const text of forms({ ...request, ...extensions(57), data: {} }))
      expect(Object.keys(decode(text))).toHaveLength(65);
    for (const text of forms({ ...request, ...extensions(58) }))
      expect(refusal(text).message).toMatch(/at most 64 attributes/);
    const million = `{${'"a":"b",'.repeat(1_000_000)}${JSON.stringify(request).slice(1)}`;
    expect(refusal(million).message).toMatch(/at most 64 attributes/);
    expect(fastestMs(() => refusal(million))).toBeLessThan(200);
  });

  it("more than 8 KiB of text in attributes", () => {
    expect(decode(JSON.stringify({ ...request, subject: "x".repeat(8_000) })).subject).toHaveLength(8_000);
    for (const text of forms({ ...request, subject: "x".repeat(8_192) }))
      expect(refusal(text).message).toMatch(/at most 8192 characters/);
  });

  it("deep nesting, before anything is built, and without harm to the stack", () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const deep = (levels: number) =>
        `${JSON.stringify(request).slice(0, -1)},"data":${open.repeat(levels)}1${close.repeat(levels)}}`;
      expect(decode(deep(64)).data).toBeDefined();
      for (const levels of [65, 100_000]) expect(refusal(deep(levels)).message).toMatch(/deeper than 64/);
      expect(refusal(` ${deep(100_000)}`).message).toMatch(/deeper than 64/);
    }
    const batch = { ...request, kind: "item", seq: 1, count: 1, data: [JSON.parse("[".repeat(64) + "]".repeat(64))] };
    for (const text of forms(batch)) expect(decode(text)).toEqual(batch);
    const wide = JSON.stringify({ ...request, data: Array.from({ length: 1_000 }, () => [{}]) });
    expect(decode(wide).data).toHaveLength(1_000);
    expect(decode(JSON.stringify({ ...request, data: [[["x"]]] }), { maxDepth: 3 }).data).toEqual([[["x"]]]);
    expect(() => decode(JSON.stringify({ ...request, data: [[[["x"]]]] }), { maxDepth: 3 })).toThrow(/deeper than 3/);
  });

  it("text that would be slow to match", () => {
    for (const text of [
      `{${'"a":'.repeat(500_000)}`,
      `{"a":"${"x".repeat(2_000_000)}`,
      `{"${"a".repeat(2_000_000)}`,
      `{${'"a":1}'.repeat(300_000)}`,
    ]) {
      expect(refusal(text)).toMatchObject({ code: "invalid_argument" });
      expect(fastestMs(() => refusal(text))).toBeLessThan(250);
    }
  });
});

describe("another version", () => {
  it.each([undefined, null, "0.3", "1.1", "1.0.0", 1, 1.0, {}, "x".repeat(1_000)])(
    "of CloudEvents is refused with both named: %j",
    (specversion) => {
      for (const text of forms({ ...request, specversion })) {
        const error = refusal(text);
        expect(error).toMatchObject({
          code: "failed_precondition",
          outcome: "rejected",
          details: { supported: ["1.0"] },
        });
        expect(JSON.stringify(error.details).length).toBeLessThan(150);
      }
    },
  );

  it.each(["2", "0", "", 1, {}])("of the profile is refused with both named: %j", (parley) => {
    for (const text of forms({ ...request, parley })) {
      expect(refusal(text)).toMatchObject({
        code: "failed_precondition",
        details: { offered: expect.any(String), supported: ["1"] },
      });
    }
  });
});

it("an error does not repeat what was refused, beyond a short piece of one value", () => {
  const canary = "canary".repeat(1_000);
  const texts = [
    `{"password":"${canary}"`,
    JSON.stringify({ ...request, Password: canary }),
    JSON.stringify({ ...request, [canary]: 1 }),
    JSON.stringify({ ...request, subject: `\n${canary}` }),
    JSON.stringify({ ...request, data_base64: `${canary}!` }),
    JSON.stringify({ ...request, data: [canary, "\ud800"] }),
    JSON.stringify({ ...request, specversion: canary }),
  ];
  for (const text of texts) {
    const { message, details } = refusal(text);
    expect(message.length + JSON.stringify(details ?? null).length).toBeLessThan(800);
  }
});

describe("an event that was not text", () => {
  it("is checked alike, and copied", () => {
    const event = { ...request, data: { a: 1 }, ext: undefined, gone: null };
    const read = readEvent(event);
    expect(read).toStrictEqual({ ...request, data: { a: 1 } });
    expect(read).not.toBe(event);
    expect(() => readEvent({ ...request, kind: "ask" })).toThrow(ValidationError);
    expect(() => readEvent(JSON.parse('{"__proto__":{"id":"1"},"specversion":"1.0","source":"/","type":"t"}'))).toThrow(
      ValidationError,
    );
    for (const value of [null, undefined, "text", 5, []]) expect(() => readEvent(value)).toThrow(ValidationError);
  });

  it("may have the profile's integers as text, as headers have them", () => {
    const read: Envelope = readEvent({ ...request, timeoutms: "5000", call: "0", ext: "7", data: new Uint8Array(2) });
    expect(read).toStrictEqual({ ...request, timeoutms: 5000, call: 0, ext: "7", data: new Uint8Array(2) });
    expect(readEvent({ ...request, timeoutms: "99999999999" }).timeoutms).toBe(2 ** 31 - 1);
    for (const seq of ["", "-1", "1.5", "01", "1e3", " 1", "0x1", "9".repeat(30)])
      expect(() => readEvent({ ...request, seq })).toThrow(/"seq" must be/);
  });
});

describe("data that does not stand last", () => {
  it.each([
    ['{"specversion":"1.0","data":{"a":1},"id":"x","source":"s","type":"t"}'],
    ['{"data":{"a":1},"id":"x","source":"s","specversion":"1.0","type":"t"}'],
    ['{"datacontenttype":"application/json","data":{"a":1},"id":"x","source":"s","specversion":"1.0","type":"t"}'],
  ])("is read: %s", (text) => {
    expect(decode(text)).toMatchObject({ id: "x", source: "s", type: "t", data: { a: 1 } });
  });
});

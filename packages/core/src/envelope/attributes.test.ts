import { describe, expect, it } from "vitest";
import { attributeProblem, attributeTypes, isAttributeName, receivedProblem } from "./attributes.ts";
import { callKinds, followerKinds } from "./envelope.ts";

describe("the name of an attribute", () => {
  it.each(["a", "0", "traceparent", "a2345678901234567890"])("can be %j", (name) => {
    expect(isAttributeName(name)).toBe(true);
  });

  it.each([
    "",
    "a23456789012345678901",
    "A",
    "trace-parent",
    "a b",
    "a_b",
    "__proto__",
    "é",
    "a\n",
    "constructor",
    "prototype",
    "data",
    "data_base64",
  ])("cannot be %j", (name) => {
    expect(isAttributeName(name)).toBe(false);
    expect(attributeProblem(name, "x")).toMatch(/must have a name of 1 to 20/);
  });
});

describe("text in an attribute that is sent", () => {
  it("is any of the visible ASCII characters but three", () => {
    for (let unit = 0; unit < 0x180; unit++) {
      const char = String.fromCharCode(unit);
      const fits = unit >= 0x21 && unit <= 0x7e && !'"\\%'.includes(char);
      expect([char, attributeProblem("ext", char) === undefined]).toEqual([char, fits]);
    }
  });

  it.each(["", " a", "a ", "a b", "a\r\nb: c", "☃", "😈", "%20"])("is not %j", (value) => {
    expect(attributeProblem("subject", value)).toMatch(/visible ASCII/);
  });

  it("is long if it must be", () => {
    expect(attributeProblem("subject", "x".repeat(4096))).toBeUndefined();
  });
});

describe("text in an attribute that has arrived", () => {
  it.each(["", "a b", "☃ snow", "😈", "100 %", 'a "quoted" one', "C:\\temp", "👨‍👩‍👧", "שלום"])(
    "can be %j",
    (value) => {
      expect(receivedProblem("subject", value)).toBeUndefined();
      expect(receivedProblem("anything", value)).toBeUndefined();
    },
  );

  it.each(["a\0", "a\r\nb", "\t", "\x1b[31m", "\x7f", "\x85", "\ud800", "\udc00\ud800", "\uffff", "\ufdd0"])(
    "cannot be %j",
    (value) => {
      expect(receivedProblem("subject", value)).toMatch(/control characters/);
      expect(receivedProblem("anything", value)).toMatch(/control characters/);
    },
  );
});

describe.each(["id", "source", "type"])("the attribute %s", (name) => {
  it.each([
    "x",
    "/a/b?c=d%20e#f",
    'a"b',
    "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    "com.example.object.deleted.v2",
  ])("can be %j", (value) => {
    expect(receivedProblem(name, value)).toBeUndefined();
  });

  it.each(["", " ", "a b", "a\n", "\u202eabc", "a\u200bb", "é", "\ufeffa"])("cannot be %j", (value) => {
    expect(receivedProblem(name, value)).toMatch(/visible ASCII/);
  });

  it.each([1, true, {}, [], Number.NaN])("is text, not %j", (value) => {
    expect(receivedProblem(name, value)).toBe("must be text");
  });
});

describe("an integer", () => {
  const integers = [...attributeTypes].filter(([, type]) => type === "integer").map(([name]) => name);

  it.each(integers)("%s goes to 2^31-1", (name) => {
    expect(receivedProblem(name, 2 ** 31 - 1)).toBeUndefined();
    for (const value of [2 ** 31, -1, 1.5, 1e15, Number.NaN, Number.POSITIVE_INFINITY, -0, "5", "5s", true, null, {}]) {
      expect(receivedProblem(name, value)).toMatch(/must be a whole number from . to 2147483647/);
    }
  });

  it("that counts items begins at one, the others at zero", () => {
    expect(integers.filter((name) => receivedProblem(name, 0) !== undefined)).toEqual(["count"]);
  });

  it("outside the profile has 32 bits and a sign", () => {
    for (const value of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) expect(receivedProblem("ext", value)).toBeUndefined();
    for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, -0, 2 ** 60, Number.NaN]) {
      expect(receivedProblem("ext", value)).toMatch(/whole number of 32 bits/);
    }
  });
});

it("other values are text, true or false", () => {
  expect([true, false].map((value) => receivedProblem("ext", value))).toEqual([undefined, undefined]);
  for (const value of [{}, [], null, undefined, 1n, Symbol("s"), () => 1])
    expect(receivedProblem("ext", value)).toMatch(/must be text/);
});

it("a kind is one of those that Parley knows", () => {
  for (const kind of [...callKinds, ...followerKinds]) expect(receivedProblem("kind", kind)).toBeUndefined();
  for (const kind of ["Request", "", "constructor", "ack2"])
    expect(receivedProblem("kind", kind)).toMatch(/must be one of notify/);
});

describe("a time", () => {
  it.each([
    "2026-01-31T12:00:00.000Z",
    "2026-01-31T12:00:00Z",
    "2026-01-31t12:00:00.123456789z",
    "2016-12-31T23:59:60Z",
    "1985-04-12T23:20:50.52-08:00",
  ])("can be %j", (value) => {
    expect(receivedProblem("time", value)).toBeUndefined();
  });

  it.each([
    "yesterday",
    "",
    "2026-01-31",
    "2026-01-31 12:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T12:00:00",
    "+275761-01-01T00:00:00Z",
    "-000001-01-01T00:00:00Z",
    1_769_860_800_000,
  ])("cannot be %j", (value) => {
    expect(receivedProblem("time", value)).toMatch(/must be/);
  });
});

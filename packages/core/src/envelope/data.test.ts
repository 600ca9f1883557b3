import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fastestMs } from "../../test/fastest.ts";
import { ValidationError } from "../call/error.ts";
import { decodeData, encodeData } from "./data.ts";

function refusal(act: () => unknown): ValidationError {
  try {
    act();
  } catch (error) {
    if (error instanceof ValidationError) return error;
    throw error;
  }
  throw new Error("was taken");
}

function nested(levels: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { value };
  return value;
}

describe("data", () => {
  it("comes back as it was, whatever JSON value it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        expect(decodeData(encodeData(value))).toStrictEqual(value);
      }),
    );
  });

  it.each([
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
    -0,
    0,
    1e308,
    5e-324,
    0.1,
    null,
    "",
    false,
    [[]],
    {},
    "NFC é NFD e\u0301 astral 😈 NUL \0 LS \u2028 שלום \ufeffBOM",
  ])("%j is exact", (value) => {
    expect(decodeData(encodeData(value))).toStrictEqual(value);
    expect(decodeData(encodeData({ a: [value] }))).toStrictEqual({ a: [value] });
  });

  it("keeps names such as __proto__ as its own", () => {
    const text = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"toString":1}';
    const value = decodeData(text) as object;
    expect(Object.keys(value)).toEqual(["__proto__", "constructor", "toString"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(encodeData(value)).toBe(text);
    expect("admin" in {}).toBe(false);
  });

  it("is written as JSON writes it: without what is undefined, and as toJSON says", () => {
    class Point {
      x = 1;
      y = undefined;
      #secret = 2;
      get sum() {
        return this.x + this.#secret;
      }
    }
    class Same {
      x = 1;
      toJSON() {
        return this;
      }
    }
    const value = {
      point: new Point(),
      when: new Date(0),
      url: new URL("http://a/"),
      none: undefined,
      same: new Same(),
      boxed: new Number(3),
      bare: Object.create(null),
    };
    expect(encodeData(value)).toBe(JSON.stringify(value));
  });

  it("may hold the same value twice", () => {
    const shared = { a: 1 };
    expect(encodeData([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });

  it.each([
    ["NaN", { a: [1, Number.NaN] }, "data.a[1] is NaN", ["data", "a", 1]],
    ["Infinity", Number.POSITIVE_INFINITY, "data is Infinity", ["data"]],
    ["a bigint", { big: 1n }, "data.big is a bigint", ["data", "big"]],
    ["a function", { act: () => 1 }, "data.act is a function", ["data", "act"]],
    ["a symbol", [Symbol("s")], "data[0] is a symbol", ["data", 0]],
    ["undefined in an array", [1, undefined], "data[1] is undefined", ["data", 1]],
    ["a hole", Object.assign(new Array(3), { 0: 1, 2: 3 }), "data[1] is undefined", ["data", 1]],
    ["nothing", undefined, "data is undefined", ["data"]],
    ["a Map", { map: new Map([[1, 2]]) }, "data.map is an instance of Map", ["data", "map"]],
    ["a Set", new Set([1]), "data is an instance of Set", ["data"]],
    ["a promise", { later: Promise.resolve(1) }, "data.later is an instance of Promise", ["data", "later"]],
    ["an error", { error: new Error("x") }, "data.error is an instance of Error", ["data", "error"]],
    ["a regular expression", /x/, "data is an instance of RegExp", ["data"]],
    ["a generator", (function* () {})(), "data is an instance of Generator", ["data"]],
    ["bytes inside", { bytes: new Uint8Array(3) }, "data.bytes is bytes", ["data", "bytes"]],
    ["a Buffer inside", [Buffer.from("x")], "data[0] is bytes", ["data", 0]],
    ["other numbers of an array", new Float32Array(3), "data is bytes", ["data"]],
    ["memory", new ArrayBuffer(3), "data is an instance of ArrayBuffer", ["data"]],
    ["an unpaired surrogate", { a: ["ok", "\ud800"] }, "data.a[1] holds an unpaired surrogate", ["data", "a", 1]],
    ["a name with one", { "\udc00": 1 }, "has a name with an unpaired surrogate", ["data", "\udc00"]],
    ["NaN behind toJSON", { toJSON: () => ({ a: Number.NaN }) }, "data.a is NaN", ["data", "a"]],
    ["a boxed NaN", [new Number(Number.NaN)], "data[0] is NaN", ["data", 0]],
  ])("that is %s is refused, and the place named", (_case, data, message, path) => {
    const error = refusal(() => encodeData(data));
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    expect(error.message).toContain(message);
    expect(error.issues).toEqual([{ message: expect.any(String), path }]);
  });

  it("whose reading throws is refused, with what was thrown as the cause", () => {
    const cause = new Error("private");
    const data = {
      get a() {
        throw cause;
      },
    };
    const error = refusal(() => encodeData(data));
    expect(error).toMatchObject({ outcome: "not-sent", cause });
    expect(error.message).not.toContain("private");
  });

  it("may look like an escaped surrogate without being one", () => {
    const data = ["\\ud800", "a\\\\udfff", "😈"];
    expect(decodeData(encodeData(data))).toEqual(data);
    expect(decodeData('"\\ud83d\\ude08"')).toBe("😈");
  });

  it("is 64 levels deep and no deeper, both ways", () => {
    expect(decodeData(encodeData(nested(64)))).toEqual(nested(64));
    expect(refusal(() => encodeData(nested(65))).message).toMatch(/nested deeper than 64 levels/);
    expect(refusal(() => decodeData(JSON.stringify(nested(65)))).message).toMatch(/nested deeper than 64 levels/);
    expect(refusal(() => decodeData(JSON.stringify(nested(3)), { maxDepth: 2 })).message).toMatch(/deeper than 2/);
  });

  it("that contains itself is refused", () => {
    const cycle: { self?: unknown; other?: unknown } = {};
    cycle.self = cycle;
    cycle.other = cycle;
    const error = refusal(() => encodeData(cycle));
    expect(error.message).toMatch(/contains itself/);
    expect(error.message.length).toBeLessThan(300);
  });

  it("that is nested ten thousand or five million deep is refused before it is built", () => {
    for (const levels of [10_000, 5_000_000]) {
      const text = "[".repeat(levels) + "]".repeat(levels);
      const refused = () => refusal(() => decodeData(text));
      expect(refused()).toMatchObject({ outcome: "rejected" });
      // The parser needs 1.6 s for the second.
      expect(fastestMs(refused)).toBeLessThan(500);
    }
    expect(decodeData(JSON.stringify("[".repeat(10_000)))).toHaveLength(10_000);
  });

  it.each(["", "{", "undefined", "NaN", "-", "01", "'a'", '"\n"', "\ufeff1", "[1,]", "1e", "{a:1}", "// 1"])(
    "is not the text %j",
    (text) => {
      expect(refusal(() => decodeData(text))).toMatchObject({ code: "invalid_argument", outcome: "rejected" });
    },
  );

  it.each(['"\\ud800"', '"\\uDC00\\uD800"', '{"\\ud800":1}', '"\ud800"', '["\\\\", "\\udfff"]'])(
    "from a peer has no unpaired surrogates: %j",
    (text) => {
      expect(refusal(() => decodeData(text)).message).toMatch(/unpaired surrogate/);
    },
  );

  it("that was refused is not repeated", () => {
    const secret = "canary".repeat(50);
    const error = refusal(() => decodeData(`{"password":"${secret}"`));
    expect(JSON.stringify([error.message, error.issues, error.details])).not.toContain("canary");
  });
});

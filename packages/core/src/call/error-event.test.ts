import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEnvelope } from "../envelope/create.ts";
import { decode } from "../envelope/decode.ts";
import { encode } from "../envelope/encode.ts";
import { utf8Length } from "../envelope/utf8.ts";
import { type Code, codes } from "./code.ts";
import { errorFor, ParleyError, TransportError, ValidationError } from "./error.ts";
import { errorData, errorEvent, MAX_ERROR_BYTES, readError } from "./error-event.ts";

const opener = createEnvelope({ kind: "request", type: "test.any.v1", source: "/test" });

/** The error as it is after a wire, and the frame that carried it. */
function across(error: ParleyError): { readonly arrived: ParleyError; readonly frame: string } {
  const frame = encode(errorEvent(opener, "/server", error), { call: 1 });
  return { arrived: readError(decode(frame).data), frame };
}

describe("an error on a wire", () => {
  it("is an event of its call", () => {
    const event = errorEvent(opener, "/server", new ParleyError("aborted", "no"));
    expect(event).toEqual({
      specversion: "1.0",
      parley: "1",
      id: `${opener.id}.e`,
      source: "/server",
      type: opener.type,
      kind: "error",
      data: { code: "aborted", outcome: "rejected", message: "no" },
    });
    expect(errorEvent(opener, "/server", new ParleyError("aborted", "no"), 7).seq).toBe(7);
  });

  it.each(Object.keys(codes) as Code[])(
    "of code %s keeps its class, outcome, message, details and time to wait",
    (code) => {
      for (const outcome of ["not-sent", "unknown", "rejected"] as const) {
        const details = {
          a: [1, null, { b: "☃" }],
          bytes: new Uint8Array([0, 255]),
          deep: [{ bytes: new Uint8Array(0) }],
        };
        const error = errorFor(code, "it failed", { outcome, retryAfterMs: 250, details });
        const { arrived } = across(error);
        expect(arrived.constructor).toBe(error.constructor);
        expect(arrived).toMatchObject({ code, outcome, message: "it failed", retryAfterMs: 250 });
        expect(arrived.details).toStrictEqual(details);
      }
    },
  );

  it("keeps its issues", () => {
    const issues = [{ message: "must be text", path: ["list", 3, "name"] }];
    const { arrived } = across(new ValidationError("wrong", issues));
    expect(arrived).toBeInstanceOf(ValidationError);
    expect(arrived).toMatchObject({ issues });
  });

  it("keeps a message of 4 KiB with white space, all of Unicode and per cent", () => {
    const message = `\t\ntest with whitespace\r\nand Unicode BMP U+263A \u263a and non-BMP U+1F608 \u{1f608}\t\n%${"x".repeat(4096)}`;
    expect(across(new ParleyError("aborted", message)).arrived.message).toBe(message);
    expect(across(new ParleyError("aborted", "")).arrived.message).toBe("");
  });

  it("keeps any details that are JSON and bytes, those that look like encoded bytes included", () => {
    const leaf = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 9 }),
    );
    const key = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom("$bytes", "$$bytes", "$$$bytes", "__proto__", "toString"),
    );
    const { details } = fc.letrec((tie) => ({
      details: fc.oneof({ maxDepth: 4 }, leaf, tie("list"), tie("record")),
      list: fc.array(tie("details"), { maxLength: 4 }),
      record: fc.dictionary(key, tie("details"), { maxKeys: 4, noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(details, (value) => {
        const { arrived, frame } = across(new ParleyError("aborted", "no", { details: value }));
        if (frame.length < 4_096) expect(arrived.details).toStrictEqual(value);
      }),
    );
    const lookalikes = [
      { $bytes: "aGk=" },
      { $bytes: 5 },
      { $bytes: "no base64" },
      { $$bytes: "aGk=" },
      { $bytes: "aGk=", more: 1 },
    ];
    expect(across(new ParleyError("aborted", "no", { details: lookalikes })).arrived.details).toStrictEqual(lookalikes);
  });

  it("has neither stack nor cause", () => {
    const error = new ParleyError("internal", "it failed", { cause: new Error("canary") });
    const { frame } = across(error);
    expect(frame).not.toContain("canary");
    expect(frame).not.toContain("error-event.test");
  });

  it("has at most 8 KiB of message and details together", () => {
    const sizes = [0, 100, 5_000, 6_000, 9_000, 100_000];
    for (const text of ["x", "é", "☃", "😈", "\n"]) {
      for (const size of sizes) {
        for (const detail of sizes) {
          const { message, details } = errorData(
            new ParleyError("aborted", text.repeat(size), { details: { text: text.repeat(detail) } }),
          );
          expect(utf8Length(message) + utf8Length(JSON.stringify(details))).toBeLessThanOrEqual(MAX_ERROR_BYTES);
          expect(message.isWellFormed()).toBe(true);
          if (size === 100_000) expect(message.endsWith("…")).toBe(true);
        }
      }
    }
  });

  it("says what was left out: the last of many issues, or large details", () => {
    const issues = Array.from({ length: 1_000 }, (_, n) => ({ message: "must be text", path: ["list", n] }));
    const { arrived } = across(new ValidationError("wrong", issues));
    expect(arrived).toBeInstanceOf(ValidationError);
    expect((arrived as ValidationError).issues).toEqual(issues.slice(0, (arrived as ValidationError).issues.length));
    expect((arrived as ValidationError).issues.length).toBeGreaterThan(50);
    expect(across(new ParleyError("aborted", "no", { details: "x".repeat(9_000) })).arrived.details).toEqual({
      omitted: "details of 9002 bytes",
    });
  });

  it("can always be written", () => {
    const cycle: { self?: unknown; other?: unknown } = {};
    cycle.self = cycle;
    cycle.other = cycle;
    const hostile = {
      get a() {
        throw new Error("gotcha");
      },
    };
    for (const details of [cycle, hostile, 1n, () => 1, Number.NaN, new Map(), ["\ud800"], { list: [undefined] }]) {
      expect(across(new ParleyError("aborted", "no", { details })).arrived.details).toEqual({
        omitted: "details that JSON cannot carry",
      });
    }
    expect(across(new ParleyError("aborted", "a\ud800b")).arrived.message).toBe("a\ufffdb");
    for (const retryAfterMs of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      expect(across(new ParleyError("aborted", "no", { retryAfterMs })).arrived.retryAfterMs).toBeUndefined();
    }
  });
});

describe("an error from a peer", () => {
  it.each([
    undefined,
    null,
    "text",
    5,
    {},
    { code: 5 },
    { code: "no_such_code" },
    { code: "constructor", message: {}, outcome: "maybe", retryAfterMs: "5" },
  ])("is made of whatever it sent: %j", (data) => {
    expect(readError(data)).toMatchObject({
      code: "unknown",
      outcome: "rejected",
      message: "the peer reported unknown",
      retryAfterMs: undefined,
    });
  });

  it("has what the wire knows where the peer says nothing", () => {
    const fallback = { code: "unavailable", outcome: "unknown", message: "HTTP 503", retryAfterMs: 1_000 } as const;
    expect(readError(undefined, fallback)).toBeInstanceOf(TransportError);
    expect(readError(undefined, fallback)).toMatchObject(fallback);
    expect(readError({ code: "aborted", message: "no" }, fallback)).toMatchObject({
      ...fallback,
      code: "aborted",
      message: "no",
    });
  });

  it("has a message of bounded length, and no prototype of its own making", () => {
    expect(utf8Length(readError({ message: "☃".repeat(100_000) }).message)).toBeLessThanOrEqual(MAX_ERROR_BYTES);
    const { details } = readError(JSON.parse('{"details":{"__proto__":{"admin":true}}}'));
    expect(Object.getPrototypeOf(details)).toBe(Object.prototype);
    expect("admin" in (details as object)).toBe(false);
  });
});

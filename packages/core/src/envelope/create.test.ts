import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { ValidationError } from "../call/error.ts";
import { createEnvelope, type EnvelopeInit, timestamp } from "./create.ts";

const init = { kind: "request", type: "text.summarize.v1", source: "/me" } as const;

describe("a message that is made", () => {
  it("has version, profile, id and time", () => {
    const { runtime } = manualRuntime();
    const { id, ...rest } = createEnvelope(init, runtime);
    expect(rest).toEqual({ ...init, specversion: "1.0", parley: "1", time: new Date(runtime.date()).toISOString() });
    expect(id).toHaveLength(36);
  });

  it("has what it was given, and nothing that is undefined", () => {
    const data = { text: "…" };
    const message = createEnvelope({
      ...init,
      id: "1",
      time: "2026-01-31T12:00:00Z",
      subject: "a/b",
      traceparent: undefined,
      mine: 7,
      flag: false,
      data,
    });
    expect(message).toStrictEqual({
      specversion: "1.0",
      parley: "1",
      id: "1",
      ...init,
      time: "2026-01-31T12:00:00Z",
      subject: "a/b",
      mine: 7,
      flag: false,
      data,
    });
    expect(message.data).toBe(data);
  });

  it("tells null from nothing in its data", () => {
    expect(createEnvelope({ ...init, data: null })).toHaveProperty("data", null);
    expect("data" in createEnvelope({ ...init, data: undefined })).toBe(false);
  });

  it("can be made from another", () => {
    const first = createEnvelope({ ...init, data: 1 });
    expect(createEnvelope({ ...first, data: 2 } as EnvelopeInit)).toEqual({ ...first, data: 2 });
  });

  it("has the time of its millisecond", () => {
    const { runtime, advance } = manualRuntime();
    const before = timestamp(runtime);
    expect(timestamp(runtime)).toBe(before);
    advance(1);
    expect(timestamp(runtime)).not.toBe(before);
    expect(timestamp(runtime)).toBe(new Date(runtime.date()).toISOString());
  });

  it.each([
    [{ id: "" }, "id"],
    [{ id: "x".repeat(257) }, "id"],
    [{ id: "a b" }, "id"],
    [{ id: 7 }, "id"],
    [{ source: "" }, "source"],
    [{ source: undefined }, "source"],
    [{ type: "a\r\nX-Evil: 1" }, "type"],
    [{ type: null }, "type"],
    [{ kind: "Request" }, "kind"],
    [{ kind: undefined }, "kind"],
    [{ subject: "☃" }, "subject"],
    [{ subject: "" }, "subject"],
    [{ correlationid: "100%" }, "correlationid"],
    [{ time: "now" }, "time"],
    [{ specversion: "1.1" }, "specversion"],
    [{ parley: "2" }, "parley"],
    [{ timeoutms: -1 }, "timeoutms"],
    [{ timeoutms: 2 ** 31 }, "timeoutms"],
    [{ seq: 1.5 }, "seq"],
    [{ ext: { a: 1 } }, "ext"],
    [{ ext: null }, "ext"],
    [{ Ext: "a" }, "Ext"],
    [{ constructor: "a" }, "constructor"],
    [JSON.parse('{"__proto__":"a"}'), "__proto__"],
    [{ data_base64: "aGk=" }, "data_base64"],
    [{ datacontenttype: "text/plain", data: { a: 1 } }, "datacontenttype"],
  ])("is not made with %j", (change, name) => {
    const act = () => createEnvelope({ ...init, ...change } as EnvelopeInit);
    expect(act).toThrow(ValidationError);
    expect(act).toThrow(
      expect.objectContaining({
        code: "invalid_argument",
        outcome: "not-sent",
        issues: [{ path: [name], message: expect.any(String) }],
      }),
    );
  });

  it("has at most 64 attributes, and 8 KiB of text in them", () => {
    const extensions = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n}`, "v"]));
    expect(Object.keys(createEnvelope({ ...init, ...extensions(57), data: 1 }))).toHaveLength(65);
    expect(() => createEnvelope({ ...init, ...extensions(58) })).toThrow(/at most 64 attributes/);
    expect(createEnvelope({ ...init, subject: "x".repeat(8_000) }).subject).toHaveLength(8_000);
    expect(() => createEnvelope({ ...init, subject: "x".repeat(8_192) })).toThrow(/at most 8192 characters/);
  });

  it("is text or bytes where its media type is not JSON", () => {
    const datacontenttype = "text/plain";
    expect(createEnvelope({ ...init, datacontenttype, data: "hello" }).data).toBe("hello");
    expect(createEnvelope({ ...init, datacontenttype, data: new Uint8Array(2) }).data).toHaveLength(2);
    expect(createEnvelope({ ...init, datacontenttype: "application/problem+json", data: {} }).data).toEqual({});
  });

  it("shows no more than 64 characters of a value that it refuses", () => {
    const value = `${"v".repeat(70)} secret`;
    expect(() => createEnvelope({ ...init, subject: value })).toThrow(`"subject" must be visible ASCII without space`);
    expect(() => createEnvelope({ ...init, subject: value })).toThrow(`is "${"v".repeat(64)}"… (77 characters)`);
  });
});

import { describe, expect, it } from "vitest";
import { readUnread, wantsAnswer } from "./unread.ts";

const header =
  '{"specversion":"1.0","id":"a.1","source":"/x","type":"t.v1","kind":"request","call":3,"replyto":"inbox/1"';

describe("the header of an event that cannot be read", () => {
  it("is found before data that is no JSON, too deep, or cut off", () => {
    const expected = { id: "a.1", type: "t.v1", kind: "request", call: 3, replyto: "inbox/1" };
    for (const data of ["nope}", `${"[".repeat(100_000)}`, '"cut', '{"data":1,']) {
      expect(readUnread(`${header},"data":${data}`)).toEqual(expected);
    }
    expect(readUnread(`${header}, "data_base64" : "***"}`)).toEqual(expected);
  });

  it("is not taken from within a value, and names nothing that it does not say", () => {
    expect(readUnread('{"id":"a","type":"t.v1","own":"x,\\"data\\":1"}')).toEqual({ id: "a", type: "t.v1" });
    expect(readUnread('{"id":"a","type":"t.v1","kind":5,"call":"3","replyto":["x"],"inreplyto":""}')).toEqual({
      id: "a",
      type: "t.v1",
    });
  });

  it("is none where it does not say which message that was", () => {
    for (const text of [
      "",
      "[]",
      "null",
      '"x"',
      '{"id":1,"type":"t"}',
      '{"id":"a"}',
      '{"id":"a b","type":"t"}',
      header,
    ]) {
      expect(readUnread(text)).toBeUndefined();
    }
    expect(readUnread(`{"id":"${"a".repeat(20_000)}","type":"t","data":1}`)).toBeUndefined();
  });

  it("tells whether somebody waits for an answer", () => {
    const opener = { id: "a", type: "t", replyto: "inbox/1" };
    expect(wantsAnswer({ ...opener, kind: "request" })).toBe(true);
    expect(wantsAnswer(opener)).toBe(true);
    for (const kind of ["notify", "publish", "reply", "error", "credit"])
      expect(wantsAnswer({ ...opener, kind })).toBe(false);
    expect(wantsAnswer({ ...opener, inreplyto: "b" })).toBe(false);
    expect(wantsAnswer({ id: "a", type: "t" })).toBe(false);
  });
});

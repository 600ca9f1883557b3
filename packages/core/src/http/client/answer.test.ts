import { expect, test } from "vitest";
import type { ParleyError } from "../../transport/index.ts";
import { readAnswer } from "./answer.ts";
import type { AnswerHeaders } from "./socket.ts";

function errorOf(status: number, headers: AnswerHeaders = {}, body = ""): ParleyError {
  try {
    readAnswer({ status, headers, body: Buffer.from(body) }, "host");
  } catch (error) {
    return error as ParleyError;
  }
  throw new Error("no error");
}

test("the code in a problem's body decides, whatever the status", () => {
  const body = JSON.stringify({
    status: 500,
    detail: "gone",
    code: "data_loss",
    outcome: "not-sent",
    details: { at: 1 },
    retryAfterMs: 7,
  });
  expect(errorOf(503, { "content-type": "application/problem+json; charset=utf-8" }, body)).toMatchObject({
    code: "data_loss",
    message: "gone",
    outcome: "not-sent",
    details: { at: 1 },
    retryAfterMs: 7,
  });
});

test("a problem that no Parley wrote, and anything else, goes by its status, and its text is not repeated", () => {
  for (const [type, body] of [
    ["application/problem+json", '{"title":"secret"}'],
    ["text/html", "secret"],
    ["", "secret"],
  ] as const) {
    const error = errorOf(503, { "content-type": type }, body);
    expect(error).toMatchObject({ code: "unavailable", outcome: "unknown", details: { status: 503 } });
    expect(JSON.stringify(error) + error.message).not.toContain("secret");
  }
});

test.each<[string, number | undefined]>([
  ["3", 3_000],
  ["0", 0],
  ["1000000000", 60_000],
  ["-1", 0],
  [new Date(Date.now() + 3_600_000).toUTCString(), 60_000],
  ["Sat, 01 Jan 2000 00:00:00 GMT", 0],
  ["soon", undefined],
  ["", undefined],
])("a stranger's Retry-After of %j is %j ms", (value, expected) => {
  expect(errorOf(429, { "retry-after": value })).toMatchObject({ code: "resource_exhausted", retryAfterMs: expected });
});

test("where a WebSocket is served, the address of one is told", () => {
  const { message } = errorOf(426, { "content-type": "text/plain", upgrade: "websocket" });
  expect(message).toContain("dial it by ws:");
  expect(errorOf(426, { upgrade: "h2c" }).message).not.toContain("ws:");
});

import { expect, test } from "vitest";
import { codes } from "../../transport/index.ts";
import { codeOfStatus, outcomeOfStatus, statusOf } from "./status.ts";

test("a strange status means what its code is sent with, or something near", () => {
  for (const code of [
    "invalid_argument",
    "unauthenticated",
    "permission_denied",
    "not_found",
    "aborted",
    "resource_exhausted",
    "cancelled",
    "unknown",
    "unimplemented",
    "unavailable",
    "deadline_exceeded",
  ] as const) {
    expect(codeOfStatus(statusOf(code))).toBe(code);
  }
  expect(statusOf("internal")).toBe(codes.internal.http);
  expect([410, 412, 413, 418, 422, 502].map(codeOfStatus)).toEqual([
    "not_found",
    "failed_precondition",
    "resource_exhausted",
    "unknown",
    "invalid_argument",
    "unavailable",
  ]);
});

test("a strange 5xx leaves open what became of the call", () => {
  expect([400, 404, 429, 500, 502, 504].map(outcomeOfStatus)).toEqual([
    "rejected",
    "rejected",
    "rejected",
    "unknown",
    "unknown",
    "unknown",
  ]);
});

import { beforeAll, describe, expect, it, vi } from "vitest";
import { type Code, codes } from "./code.ts";
import * as here from "./error.ts";
import {
  AuthenticationError,
  cancelled,
  errorFor,
  ParleyError,
  TransportError,
  toParleyError,
  ValidationError,
} from "./error.ts";

describe("an error", () => {
  it("has code, outcome, details, time to wait and cause", () => {
    const cause = new Error("why");
    const error = new ParleyError("aborted", "no", { outcome: "unknown", details: [1], retryAfterMs: 5, cause });
    expect(error).toMatchObject({
      name: "ParleyError",
      code: "aborted",
      message: "no",
      outcome: "unknown",
      details: [1],
      retryAfterMs: 5,
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error.stack).toContain("error.test.ts");
  });

  it("is rejected unless it says otherwise, and has no cause unless it was given one", () => {
    const error = new ParleyError("aborted", "no");
    expect(error.outcome).toBe("rejected");
    expect("cause" in error).toBe(false);
  });

  it.each(Object.keys(codes) as Code[])("of code %s is made in its class", (code) => {
    const expected: { readonly [code: string]: typeof TransportError | typeof AuthenticationError } = {
      unavailable: TransportError,
      deadline_exceeded: TransportError,
      resource_exhausted: TransportError,
      unauthenticated: AuthenticationError,
      permission_denied: AuthenticationError,
    };
    const error = errorFor(code, "text", { outcome: "unknown", retryAfterMs: 1, details: { a: 1 } });
    expect(error.constructor).toBe(expected[code] ?? ParleyError);
    expect(error).toMatchObject({ code, message: "text", outcome: "unknown", retryAfterMs: 1, details: { a: 1 } });
  });

  it("of validation has issues, and is made of details that hold some", () => {
    const issues = [{ message: "must be text", path: ["a", 0] }];
    const error = new ValidationError("wrong", issues, { outcome: "not-sent" });
    expect(error).toMatchObject({
      name: "ValidationError",
      code: "invalid_argument",
      outcome: "not-sent",
      issues,
      details: { issues },
    });
    const again = errorFor(error.code, error.message, error);
    expect(again).toBeInstanceOf(ValidationError);
    expect(again).toMatchObject({ issues, outcome: "not-sent" });
    for (const details of [{ issues: [{}] }, { issues: "a" }, { issues: [null] }, null, 5]) {
      expect(errorFor("invalid_argument", "wrong", { details })).not.toBeInstanceOf(ValidationError);
    }
  });

  it("is not everything that looks like one", () => {
    for (const value of [null, undefined, "text", {}, new Error("x"), { name: "ParleyError", code: "aborted" }]) {
      expect(value instanceof ParleyError).toBe(false);
      expect(value instanceof TransportError).toBe(false);
    }
  });

  it("of a user's own class is one of that class, and of no other", () => {
    class QuotaError extends ParleyError {
      constructor() {
        super("resource_exhausted", "quota");
      }
    }
    const error = new QuotaError();
    expect([error instanceof QuotaError, error instanceof ParleyError, error instanceof TransportError]).toEqual([
      true,
      true,
      false,
    ]);
    expect(new ParleyError("resource_exhausted", "other") instanceof QuotaError).toBe(false);
  });
});

describe("an error of another copy of core", () => {
  let other: typeof here;
  beforeAll(async () => {
    vi.resetModules();
    other = await import("./error.ts");
  });

  it("is one of the same class, both ways", () => {
    expect(other.ParleyError).not.toBe(ParleyError);
    for (const [one, two] of [
      [here, other],
      [other, here],
    ] as const) {
      const errors = [
        new one.ParleyError("aborted", "a"),
        new one.ValidationError("v", []),
        new one.TransportError("unavailable", "t"),
        new one.AuthenticationError("unauthenticated", "u"),
      ];
      const classes = [two.ParleyError, two.ValidationError, two.TransportError, two.AuthenticationError];
      expect(errors.map((error) => classes.map((each) => error instanceof each))).toEqual([
        [true, false, false, false],
        [true, true, false, false],
        [true, false, true, false],
        [true, false, false, true],
      ]);
      const [error] = errors;
      expect(two.toParleyError(error)).toBe(error);
    }
  });
});

describe("what was thrown", () => {
  const frozen = Object.freeze(new Error("secret at /home/me/app.ts"));
  const hostile = {
    get message() {
      throw new Error("gotcha");
    },
  };

  it("becomes an internal error without its text", () => {
    for (const thrown of [undefined, null, "secret", 5, frozen, hostile, Object.create(null)]) {
      const error = toParleyError(thrown);
      expect(error).toMatchObject({
        code: "internal",
        outcome: "rejected",
        message: "the handler failed; the option log of its agent tells why",
      });
      expect(error.cause).toBe(thrown);
    }
  });

  it("stays what it is if it is an error of Parley", () => {
    const error = new ValidationError("wrong", []);
    expect(toParleyError(error)).toBe(error);
  });

  it("by a signal's owner is the cause of the cancellation, or the cancellation itself", () => {
    const own = new ParleyError("aborted", "own");
    expect(cancelled(own, "unknown")).toBe(own);
    expect(cancelled("why", "not-sent")).toMatchObject({ code: "cancelled", outcome: "not-sent", cause: "why" });
  });
});

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expect, test } from "vitest";
import { z } from "zod";
import { failureOf } from "../../test/settling.ts";
import { ValidationError } from "../call/error.ts";
import { isSchema, validate } from "./schema.ts";

const place = { what: "the input of a.b.v1", outcome: "not-sent" } as const;

function schemaOf(check: (value: unknown) => ReturnType<StandardSchemaV1["~standard"]["validate"]>): StandardSchemaV1 {
  return { "~standard": { version: 1, vendor: "test", validate: check } };
}

test("a schema that answers at once costs no promise", () => {
  expect(validate(z.string(), "x", place)).toBe("x");
});

test("the value is what the schema makes of it", () => {
  expect(validate(z.object({ n: z.coerce.number() }), { n: "4" }, place)).toEqual({ n: 4 });
});

test("an async schema is waited for, whether it accepts or refuses", async () => {
  const schema = z.string().refine(async (value) => value === "good");
  expect(await validate(schema, "good", place)).toBe("good");
  const error = await failureOf(async () => validate(schema, "bad", place));
  expect(error).toBeInstanceOf(ValidationError);
});

test("a refusal names the place, the issues and their paths", async () => {
  const error = await failureOf(() =>
    validate(z.object({ list: z.array(z.object({ n: z.number() })) }), { list: [{ n: "x" }] }, place),
  );
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent", issues: [{ path: ["list", 0, "n"] }] });
  expect(error.message).toMatch(/^the input of a\.b\.v1 is invalid: list\.0\.n: .*number/);
  expect(error.details).toEqual({ issues: (error as ValidationError).issues });
});

test("an item is named by its position", async () => {
  const error = await failureOf(() => validate(z.string(), 1, place, 3));
  expect(error.message).toMatch(/^item 3 of the input of a\.b\.v1 is invalid/);
});

test("paths are read in every form that the standard allows", async () => {
  const schema = schemaOf(() => ({ issues: [{ message: "no", path: [{ key: "a" }, 1, Symbol("s"), "b"] }] }));
  expect(await failureOf(() => validate(schema, 1, place))).toMatchObject({
    issues: [{ path: ["a", 1, "Symbol(s)", "b"] }],
  });
});

test("a hostile value makes no huge error", async () => {
  const long = "x".repeat(10_000);
  const schema = schemaOf(() => ({
    issues: Array.from({ length: 5_000 }, () => ({ message: long, path: Array(900).fill(long) })),
  }));
  const error = (await failureOf(() => validate(schema, 1, place))) as ValidationError;
  expect(error.issues.length).toBe(32);
  expect(error.issues[0]?.message.length).toBe(256);
  expect(error.issues[0]?.path.length).toBe(64);
  expect(error.message).toContain("and 4997 more");
});

test.for([
  [
    "throws",
    () => {
      throw new Error("secret");
    },
  ],
  ["rejects", () => Promise.reject(new Error("secret"))],
] as const)("a schema that %s is an internal error with a cause, and without its text", async ([, check]) => {
  const error = await failureOf(async () => validate(schemaOf(check), 1, place));
  expect(error).toMatchObject({
    code: "internal",
    outcome: "not-sent",
    message: "the schema for the input of a.b.v1 failed",
  });
  expect(error.cause).toMatchObject({ message: "secret" });
});

test("a schema is told from what is none", () => {
  expect(isSchema(z.string())).toBe(true);
  expect(
    isSchema(
      Object.assign(
        () => {},
        schemaOf(() => ({ value: 1 })),
      ),
    ),
  ).toBe(true);
  for (const none of [undefined, null, {}, "zod", { "~standard": {} }, { "~standard": null }])
    expect(isSchema(none)).toBe(false);
});

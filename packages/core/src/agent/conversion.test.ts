import { expect, test } from "vitest";
import { z } from "zod";
import { failureOf } from "../../test/settling.ts";
import { receiving, sending } from "./conversion.ts";

const place = { what: "the data", outcome: "rejected" } as const;
const schema = z.object({ text: z.string(), max: z.number().default(9) });
const cast = {
  schema: z.object({ words: z.array(z.string()) }),
  upcast: (old: unknown) => ({ text: (old as { words: string[] }).words.join(" ") }),
  downcast: (now: unknown) => ({ words: (now as { text: string }).text.split(" ") }),
};

test("data leaves as it was given, once it is accepted", async () => {
  const write = sending({ ...place, schema });
  const given = { text: "a" };
  expect(write(given)).toBe(given);
  expect(await failureOf(() => write({ text: 1 }))).toMatchObject({ code: "invalid_argument" });
});

test("what leaves passes the receiver's schema also when it transforms", () => {
  const length = z.string().transform((value) => value.length);
  const sent = sending({ ...place, schema: length })("four");
  expect(receiving({ ...place, schema: length })(sent)).toBe(4);
});

test("data arrives as the schema gives it", () => {
  expect(receiving({ ...place, schema })({ text: "a" })).toEqual({ text: "a", max: 9 });
});

test("without a schema there is no data", () => {
  expect(sending({ ...place, schema: undefined })("x")).toBe(undefined);
  expect(receiving({ ...place, schema: undefined })("x")).toBe(undefined);
});

test("an old form is checked, brought up to date, and checked again", async () => {
  const read = receiving({ ...place, schema, cast });
  expect(read({ words: ["a", "b"] })).toEqual({ text: "a b", max: 9 });
  expect(await failureOf(() => read({ text: "a" }))).toMatchObject({ issues: [{ path: ["words"] }] });
  const wrong = receiving({ ...place, schema, cast: { ...cast, upcast: () => ({ text: 1 }) } });
  expect(await failureOf(() => wrong({ words: [] }))).toMatchObject({ issues: [{ path: ["text"] }] });
});

test("an old form is written from the complete present one, and checked", async () => {
  const write = sending({
    ...place,
    schema,
    cast: { ...cast, downcast: (now) => ({ words: [String((now as { max: number }).max)] }) },
  });
  expect(write({ text: "a" })).toEqual({ words: ["9"] });
  expect(await failureOf(() => write({}))).toMatchObject({ issues: [{ path: ["text"] }] });
  const wrong = sending({ ...place, schema, cast: { ...cast, downcast: () => ({}) } });
  expect(await failureOf(() => wrong({ text: "a" }))).toMatchObject({ issues: [{ path: ["words"] }] });
});

test("casts work with async schemas", async () => {
  const slow = {
    ...place,
    schema: schema.refine(async () => true),
    cast: { ...cast, schema: cast.schema.refine(async () => true) },
  };
  expect(await receiving(slow)({ words: ["a", "b"] })).toEqual({ text: "a b", max: 9 });
  expect(await sending(slow)({ text: "a b" })).toEqual({ words: ["a", "b"] });
  expect(await sending({ ...place, schema: slow.schema })({ text: "a" })).toEqual({ text: "a" });
});

test("a form that was dropped is checked and read as nothing", async () => {
  const read = receiving({ ...place, schema: undefined, cast: { schema: z.string(), upcast: () => undefined } });
  expect(read("x")).toBe(undefined);
  expect(await failureOf(() => read(1))).toMatchObject({ code: "invalid_argument" });
});

test("a cast that throws is an internal error with a cause", async () => {
  const broken = () => {
    throw new Error("secret");
  };
  const up = await failureOf(() => receiving({ ...place, schema, cast: { ...cast, upcast: broken } })({ words: [] }));
  expect(up).toMatchObject({
    code: "internal",
    message: "the upcast for the data failed",
    cause: { message: "secret" },
  });
  const down = await failureOf(() => sending({ ...place, schema, cast: { ...cast, downcast: broken } })({ text: "a" }));
  expect(down).toMatchObject({ code: "internal", message: "the downcast for the data failed" });
});

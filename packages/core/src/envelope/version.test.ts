import { expect, it } from "vitest";
import { operationType, parseType } from "./version.ts";

it("a type is an operation and its major version", () => {
  expect(operationType("text.summarize", 2)).toBe("text.summarize.v2");
  expect(parseType("text.summarize.v2")).toEqual({ name: "text.summarize", version: 2 });
  expect(parseType("a.v1.v12")).toEqual({ name: "a.v1", version: 12 });
});

it.each(["text.summarize", "text.v0", "text.v01", "text.v", ".v1", "v1", "text.v1.5", "text.v1 ", "text.V1", ""])(
  "the type %j names no version",
  (type) => {
    expect(parseType(type)).toBeUndefined();
  },
);

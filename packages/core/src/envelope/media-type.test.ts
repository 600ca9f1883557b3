import { expect, it } from "vitest";
import { isJsonType } from "./media-type.ts";

it.each([
  undefined,
  "application/json",
  "Application/JSON",
  "application/json; charset=utf-8",
  "application/json;charset=utf-8",
  "application/problem+json",
  "text/json",
  "application/vnd.example.v1+JSON ; q=1",
])("data of the media type %j is JSON", (type) => {
  expect(isJsonType(type)).toBe(true);
});

it.each([
  "",
  "json",
  "text/plain",
  "application/jsonp",
  "application/x-json",
  "application/xml+jsonx",
  "text/plain; x=a/json",
  "a/b/json",
])("data of the media type %j is not JSON", (type) => {
  expect(isJsonType(type)).toBe(false);
});

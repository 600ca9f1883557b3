import { expect, test } from "vitest";
import { checkText, checkTopicFilter, checkTopicName, matches, patternOf } from "./topic.ts";

const refused = { code: "invalid_argument", outcome: "not-sent" };

function failureOf(attempt: () => unknown): unknown {
  try {
    return attempt();
  } catch (error) {
    return error;
  }
}

test.each(["a", "/", "a//b", " a b ", "größe/€/😀", "$aws/things/x", `${"x".repeat(65_535)}`])(
  "%s is a topic",
  (topic) => {
    expect(checkTopicName(topic)).toBe(topic);
  },
);

test.each([
  "",
  "a/+",
  "#",
  "a#",
  "a\u0000b",
  "a\nb",
  "\ud800",
  "a\uffff",
  "x".repeat(65_536),
  "€".repeat(21_846),
  1,
  null,
])("%j is no topic", (topic) => {
  expect(failureOf(() => checkTopicName(topic))).toMatchObject(refused);
});

test.each(["#", "+", "a/+/b", "a/#", "/+", "a//#", "$SYS/#", "$share/g/a/+", "$share/g//", "größe/+"])(
  "%s is a filter",
  (filter) => {
    expect(checkTopicFilter(filter)).toBe(filter);
  },
);

test.each([
  "",
  "a#",
  "a+/b",
  "#/a",
  "a/#/b",
  "$share",
  "$share/",
  "$share/g",
  "$share/g/",
  "$share//a",
  "$share/+/a",
  "\u0000",
])("%j is no filter", (filter) => {
  expect(failureOf(() => checkTopicFilter(filter))).toMatchObject(refused);
});

test("what is refused is shown shortened", () => {
  expect(String(failureOf(() => checkText("\u0001".padEnd(1_000, "x"), "value"))).length).toBeLessThan(200);
});

test("the pattern of a shared filter is what follows its group", () => {
  expect([patternOf("$share/g/a/+"), patternOf("a/$share/b")]).toEqual(["a/+", "a/$share/b"]);
});

test.each([
  ["a/b", "a/b", true],
  ["a/+", "a/b", true],
  ["a/+", "a/b/c", false],
  ["a/+", "a", false],
  ["a/+", "a/", true],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["#", "a/b", true],
  ["#", "$SYS/x", false],
  ["+/x", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
  ["a/b", "a", false],
])("%s and %s: %s", (filter, topic, expected) => {
  expect(matches(filter, topic)).toBe(expected);
});

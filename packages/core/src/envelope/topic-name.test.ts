import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { checkFilter, checkTopic } from "./topic-name.ts";

test.for(["a", "a/b", "/a", "a/", "a//b", "/", "$SYS/x", "a*b", "a>b", "a.b", "!#".slice(0, 1), "~", "x".repeat(1024)])(
  "%j is a topic, and a filter that matches only itself",
  (topic) => {
    expect(checkTopic(topic)).toBe(topic);
    expect(checkFilter(topic)).toBe(topic);
  },
);

test.for([
  undefined,
  null,
  7,
  "",
  "a+",
  "+",
  "a/+/b",
  "a/#",
  "#",
  "a b",
  "a\tb",
  "a\nb",
  "\u0000",
  "é",
  "😀",
  'a"b',
  "a%b",
  "a\\b",
  "\u007f",
  "x".repeat(1025),
])("%j is no topic", async (topic) => {
  expect(await failureOf(() => checkTopic(topic))).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
    issues: [{ path: ["subject"] }],
  });
});

test.for(["+", "#", "+/#", "a/+/b", "a/#", "+/+", "/+", "/#"])("%s is a filter", (filter) => {
  expect(checkFilter(filter)).toBe(filter);
});

test.for([undefined, "", "a/#/b", "#/a", "a#", "a/b#", "a+", "+a", "a/+b/c", "++", "##", "a b", "x".repeat(1025)])(
  "%j is no filter",
  async (filter) => {
    expect(await failureOf(() => checkFilter(filter))).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  },
);

import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { parsePath } from "./topic-path.ts";

const path = parsePath("agents/{agent}/jobs/{job}");

test("parameters become segments of the topic, and are read back", () => {
  const topic = path.topic({ agent: "a", job: "7" });
  expect(topic).toBe("agents/a/jobs/7");
  expect(path.read(topic)).toEqual({ agent: "a", job: "7" });
});

test("parameters left out of a filter match anything", () => {
  expect(path.filter).toBe("agents/+/jobs/+");
  expect(path.filterFor({})).toBe("agents/+/jobs/+");
  expect(path.filterFor({ job: "7", agent: undefined })).toBe("agents/+/jobs/7");
});

test.for(["agents/a/jobs", "agents/a/jobs/7/x", "agents/a/tasks/7", "x"])(
  "the topic %s is of another path",
  (topic) => {
    expect(path.read(topic)).toBe(undefined);
  },
);

test.for(["", "a/b", "+", "#", "a+", "x#y", "a b", "ü", 'a"', "a%", "a\\b", "\u0000", "x".repeat(2_000), 7, null])(
  "the parameter %j acts as no wildcard and makes no other topic: it is refused before anything is sent",
  async (agent) => {
    for (const use of [() => path.topic({ agent, job: "1" }), () => path.filterFor({ agent })]) {
      expect(await failureOf(use)).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    }
  },
);

test.for(["*", ">", ".", "$x", "~", "a.b*c>", "x".repeat(200)])("the parameter %j is itself", (agent) => {
  expect(path.read(path.topic({ agent, job: "1" }))).toEqual({ agent, job: "1" });
});

test("a parameter that is missing or unknown is named", async () => {
  expect((await failureOf(() => path.topic({ agent: "a" }))).message).toContain(
    "{job} of the path agents/{agent}/jobs/{job} is missing",
  );
  expect((await failureOf(() => path.filterFor({ agnt: "a" }))).message).toContain("{agnt}");
  expect((await failureOf(() => parsePath("a/{toString}").topic({}))).message).toContain("is missing");
});

import { expect, test } from "vitest";
import { z } from "zod";
import { failureOf } from "../../test/settling.ts";
import { contract } from "./contract.ts";
import { request } from "./operation.ts";
import { topic } from "./topic.ts";
import { announce, answeredVersions, negotiate, spokenVersions } from "./version.ts";

const data = z.string();
const bothWays = { schema: data, upcast: (old: string) => old, downcast: (now: string) => now };
const up = { schema: data, upcast: (old: string) => old };
const down = { schema: data, downcast: (now: string) => now };

const made = contract("t", {
  run: request({
    version: 4,
    input: data,
    output: data,
    previous: { 1: { input: up }, 2: { input: bothWays, output: down }, 3: { input: bothWays, output: bothWays } },
  }),
  news: topic({ path: "news", data }),
});

test("an agent answers all versions; a client speaks those it can write and read", () => {
  expect(answeredVersions(made.operations.run)).toEqual([1, 2, 3, 4]);
  expect(spokenVersions(made.operations.run)).toEqual([3, 4]);
  const same = contract("t", { run: request({ version: 10, previous: { 2: {}, 9: {} } }) });
  expect(spokenVersions(same.operations.run)).toEqual([2, 9, 10]);
});

test("an agent announces kinds and versions", () => {
  expect(announce(made)).toEqual({
    "t.run": { kind: "request", versions: [1, 2, 3, 4] },
    "t.news": { kind: "publish", versions: [1] },
  });
});

const news = { kind: "publish", versions: [1] } as const;

test.for([
  [[1, 2, 3, 4, 5], 4],
  [[2, 3, 5], 3],
  [[4], 4],
] as const)("of a peer's versions %j, the highest common one is %d", ([versions, chosen]) => {
  const announced = {
    "t.run": { kind: "request", versions },
    "t.news": news,
    "t.more": { kind: "request", versions: [1] },
  } as const;
  expect([...negotiate(made, announced)]).toEqual([
    ["run", chosen],
    ["news", 1],
  ]);
});

test("a peer that says nothing is taken to have the present versions", () => {
  expect(negotiate(made, undefined).get("run")).toBe(4);
});

test("disjoint versions are refused with both ranges", async () => {
  const error = await failureOf(() =>
    negotiate(made, { "t.run": { kind: "request", versions: [1, 2, 5] }, "t.news": news }),
  );
  expect(error).toMatchObject({ code: "failed_precondition", outcome: "not-sent" });
  expect(error.message).toContain("t.run: this side speaks version 3, 4, the peer answers 1, 2, 5");
  expect(error.details).toEqual({
    mismatches: [{ operation: "t.run", why: expect.any(String), spoken: [3, 4], answered: [1, 2, 5] }],
  });
});

test("an operation that the peer lacks, or has as another kind, is refused with both sides' operations", async () => {
  const lacks = await failureOf(() =>
    negotiate(made, { "t.run": { kind: "request", versions: [4] }, "x.y": { kind: "notify", versions: [1] } }),
  );
  expect(lacks.message).toContain("t.news: it is not there");
  expect(lacks.message).toContain("Operations here: t.run (3, 4), t.news (1).");
  expect(lacks.message).toContain("Operations there: t.run (4), x.y (1).");
  const other = await failureOf(() => negotiate(made, { "t.run": { kind: "notify", versions: [4] }, "t.news": news }));
  expect(other.message).toContain("t.run: it is a notify there, and a request here");
});

test("names that every object has are no operations of the peer", async () => {
  expect((await failureOf(() => negotiate(contract("a", { b: request({}) }), {}))).message).toContain(
    "Operations there: none",
  );
});

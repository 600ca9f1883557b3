import { expect, test } from "vitest";
import { z } from "zod";
import { failureOf } from "../../test/settling.ts";
import { contract } from "./contract.ts";
import { bidiStream, clientStream, notify, request, serverStream } from "./operation.ts";
import { topic } from "./topic.ts";

const data = z.object({ a: z.string() });

test("a contract keeps its name and its operations, at version 1 unless told", () => {
  const made = contract("acme.text-2", {
    run: request({ input: data }),
    news: topic({ path: "news", data, version: 4 }),
  });
  expect(made.name).toBe("acme.text-2");
  expect(made.operations.run).toMatchObject({ kind: "request", version: 1, input: data, output: undefined });
  expect(made.operations.news).toMatchObject({ kind: "topic", version: 4, path: "news" });
});

test("each kind of operation keeps its schemas by side", () => {
  const other = z.string();
  expect(serverStream({ input: data, item: other })).toMatchObject({
    kind: "server-stream",
    input: data,
    output: other,
  });
  expect(clientStream({ item: data, output: other })).toMatchObject({
    kind: "client-stream",
    input: data,
    output: other,
  });
  expect(bidiStream({ inputItem: data, outputItem: other })).toMatchObject({
    kind: "bidi-stream",
    input: data,
    output: other,
  });
  expect(notify({ input: data })).toMatchObject({ kind: "notify", input: data, output: undefined });
});

test("each kind of operation keeps its casts by side", () => {
  const input = { schema: data, upcast: (old: { a: string }) => old };
  const output = { schema: data, downcast: (now: { a: string }) => now };
  const previous = { 1: { input, output } };
  expect(request({ version: 2, input: data, output: data, previous }).previous[1]).toEqual({ input, output });
  expect(
    serverStream({ version: 2, input: data, item: data, previous: { 1: { input, item: output } } }).previous[1],
  ).toEqual({ input, output });
  expect(
    clientStream({ version: 2, item: data, output: data, previous: { 1: { item: input, output } } }).previous[1],
  ).toEqual({ input, output });
  expect(
    bidiStream({
      version: 2,
      inputItem: data,
      outputItem: data,
      previous: { 1: { inputItem: input, outputItem: output } },
    }).previous[1],
  ).toEqual({ input, output });
  expect(topic({ version: 2, path: "a", data, previous: { 1: { data: input } } }).previous[1]?.input).toBe(input);
});

test.for(["", "1text", "a b", "a/b", "a..b", ".a", "a.", "text+", "a".repeat(129)])(
  "%j is refused as the name of a contract",
  async (name) => {
    expect(await failureOf(() => contract(name, {}))).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  },
);

test.for(["parley", "parley.extra"])("the contract name %s is Parley's own", async (name) => {
  expect((await failureOf(() => contract(name, {}))).message).toContain("reserved");
});

test.for(["", "1a", "a-b", "a.b", "a b", "__proto__", "_a", "a".repeat(65)])(
  "%j is refused as the name of an operation",
  async (name) => {
    const operations = Object.fromEntries([[name, request({})]]);
    expect((await failureOf(() => contract("text", operations))).message).toContain("no name for an operation of text");
  },
);

test.for([
  "then",
  "catch",
  "finally",
  "close",
  "connection",
  "constructor",
  "prototype",
  "toJSON",
  "toString",
  "valueOf",
  "hasOwnProperty",
])("the operation name %s is reserved", async (name) => {
  expect((await failureOf(() => contract("text", { [name]: request({}) }))).message).toContain(
    `text.${name} is reserved`,
  );
});

test("what was not made as an operation is refused with what makes one", async () => {
  for (const wrong of [
    undefined,
    null,
    {},
    { kind: "publish", previous: {} },
    { kind: "rpc", previous: {} },
    { kind: "request" },
    z.string(),
  ]) {
    const error = await failureOf(() => contract("text", { run: wrong as never }));
    expect(error.message).toContain("text.run is no operation: make it with request");
  }
});

test.each<[string, () => unknown]>([
  [
    "t.run has a schema input that is no",
    () => contract("t", { run: request({ input: { type: "string" } as never }) }),
  ],
  ["t.run has no schema item", () => contract("t", { run: serverStream({ item: undefined as never }) })],
  ["t.run has no schema item", () => contract("t", { run: clientStream({ item: undefined as never }) })],
  [
    "t.run has no schema outputItem",
    () => contract("t", { run: bidiStream({ inputItem: z.string(), outputItem: undefined as never }) }),
  ],
  ["t.news has no schema data", () => contract("t", { news: topic({ path: "a", data: undefined as never }) })],
])("%s, as it is written", async (problem, make) => {
  expect((await failureOf(make)).message).toContain(problem);
});

test.for([0, -1, 1.5, Number.NaN, 1_000_000])("version %d is refused", async (version) => {
  expect((await failureOf(() => contract("t", { run: request({ version }) }))).message).toContain(
    `t.run is ${version}`,
  );
});

test.for(["2", "3", "0", "x", "1.5"])("%s is refused as a version before version 2", async (old) => {
  const run = request({ version: 2, previous: { [old]: {} } });
  expect((await failureOf(() => contract("t", { run }))).message).toContain(`describes ${old} as a previous one`);
});

test("a cast that an agent needs cannot be missing", async () => {
  const input = { schema: data } as never;
  expect(
    (await failureOf(() => contract("t", { run: request({ version: 2, previous: { 1: { input } } }) }))).message,
  ).toContain("upcast is missing");
  expect(
    (await failureOf(() => contract("t", { run: request({ version: 2, previous: { 1: { output: input } } }) })))
      .message,
  ).toContain("downcast is missing");
  const noSchema = { upcast: () => undefined } as never;
  expect(
    (await failureOf(() => contract("t", { run: request({ version: 2, previous: { 1: { input: noSchema } } }) })))
      .message,
  ).toContain("no Standard Schema");
});

test.for([
  ["agents/{a}/status", "agents/{b}/status"],
  ["agents/{a}/status", "agents/x/status"],
  ["{a}/x", "y/{b}"],
  ["news", "news"],
] as const)("the topics %s and %s overlap, and are refused", async ([one, other]) => {
  const error = await failureOf(() =>
    contract("t", { one: topic({ path: one, data }), other: topic({ path: other, data }) }),
  );
  expect(error.message).toContain("t.one and t.other overlap");
});

test("topics of different shape stand beside each other", () => {
  const paths = ["agents/{a}/status", "agents/{a}/log", "agents/{a}", "agents/{a}/status/{b}"];
  const topics = Object.fromEntries(paths.map((path, index) => [`t${index}`, topic({ path, data })]));
  expect(Object.keys(contract("t", topics).operations)).toHaveLength(4);
});

test.for(["", "a/{b", "a/x{b}", "a/{b}{c}", "a/{b-c}", "a/{}/b", "a/{b}/{b}", "a/+/b", "a/#", "a b", "é"])(
  "the path %j is refused",
  async (path) => {
    expect(await failureOf(() => contract("t", { news: topic({ path, data }) }))).toMatchObject({
      code: "invalid_argument",
    });
  },
);

test("what is changed afterwards in the object given changes no contract", () => {
  const operations: Record<string, ReturnType<typeof request>> = { run: request({}) };
  const made = contract("t", operations);
  operations["later"] = request({});
  expect(Object.keys(made.operations)).toEqual(["run"]);
});

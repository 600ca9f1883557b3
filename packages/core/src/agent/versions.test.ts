import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ways, withRemote } from "../../test/remotes.ts";
import { failureOf, itemsOf } from "../../test/settling.ts";
import { derive } from "../call/call.ts";
import { agent } from "./agent.ts";
import { client } from "./client.ts";
import { contract } from "./contract.ts";
import { bidiStream, clientStream, notify, request, serverStream } from "./operation.ts";
import { announce } from "./version.ts";

/** The contract as it was, and as it is: what was `text` and `n` is now `words` and `count`. */
const oldSent = z.object({ text: z.string() });
const oldGot = z.object({ n: z.number() });
const sent = z.object({ words: z.array(z.string()), lang: z.string().default("en") });
const got = z.object({ count: z.number() });

const before = contract("t", {
  run: request({ input: oldSent, output: oldGot }),
  note: notify({ input: oldSent }),
  down: serverStream({ input: oldSent, item: oldGot }),
  up: clientStream({ item: oldSent, output: oldGot }),
  both: bidiStream({ inputItem: oldSent, outputItem: oldGot }),
});

const input = {
  schema: oldSent,
  upcast: ({ text }: { text: string }) => ({ words: text.split(" ") }),
  downcast: ({ words, lang }: { words: string[]; lang: string }) => ({ text: [...words, lang].join(" ") }),
};
const output = {
  schema: oldGot,
  upcast: ({ n }: { n: number }) => ({ count: n }),
  downcast: ({ count }: { count: number }) => ({ n: count }),
};

const now = contract("t", {
  run: request({ version: 2, input: sent, output: got, previous: { 1: { input, output } } }),
  note: notify({ version: 2, input: sent, previous: { 1: { input } } }),
  down: serverStream({ version: 2, input: sent, item: got, previous: { 1: { input, item: output } } }),
  up: clientStream({ version: 2, item: sent, output: got, previous: { 1: { item: input, output } } }),
  both: bidiStream({
    version: 2,
    inputItem: sent,
    outputItem: got,
    previous: { 1: { inputItem: input, outputItem: output } },
  }),
});

const noted: string[][] = [];
const newAgent = agent(now, {
  run: ({ words }) => ({ count: words.length }),
  note: ({ words, lang }) => void noted.push([...words, lang]),
  down: ({ words }) => words.map((_, count) => ({ count })),
  async up(items) {
    let count = 0;
    for await (const { words } of items) count += words.length;
    return { count };
  },
  async *both(items) {
    for await (const { words } of items) yield { count: words.length };
  },
});

const oldNoted: string[] = [];
const words = (text: string): number => text.split(" ").length;
const oldAgent = agent(before, {
  run: ({ text }) => ({ n: words(text) }),
  note: ({ text }) => void oldNoted.push(text),
  down: ({ text }) => text.split(" ").map((_, n) => ({ n })),
  async up(items) {
    let n = 0;
    for await (const { text } of items) n += words(text);
    return { n };
  },
  async *both(items) {
    for await (const { text } of items) yield { n: words(text) };
  },
});

test("an old client reaches a new agent, by every kind of call", async () => {
  const remote = client(before, newAgent.handle);
  expect(await remote.run({ text: "a b" })).toEqual({ n: 2 });
  await remote.note({ text: "a b" });
  expect(noted).toEqual([["a", "b", "en"]]);
  expect(await itemsOf(remote.down({ text: "a b" }))).toEqual([{ n: 0 }, { n: 1 }]);
  expect(await remote.up([{ text: "a b" }, { text: "c" }])).toEqual({ n: 3 });
  expect(await itemsOf(remote.both([{ text: "a b" }, { text: "c" }]))).toEqual([{ n: 2 }, { n: 1 }]);
});

describe.for(ways)("%s", (way) => {
  test("a new client reaches a new agent in the present form", async () => {
    await withRemote(way, newAgent, async (remote) => {
      expect(await remote.run({ words: ["a", "b"] })).toEqual({ count: 2 });
    });
  });
});

test("a new client reaches an old agent, by every kind of call, in the old form", async () => {
  const types: string[] = [];
  const remote = client(
    now,
    (call) => {
      types.push(call.message.type);
      return oldAgent.handle(call);
    },
    { operations: announce(before) },
  );
  // The language, which its schema fills in, is part of what is cast down.
  expect(await remote.run({ words: ["a", "b"] })).toEqual({ count: 3 });
  await remote.note({ words: ["a"], lang: "de" });
  expect(oldNoted).toEqual(["a de"]);
  expect(await itemsOf(remote.down({ words: ["a"] }))).toEqual([{ count: 0 }, { count: 1 }]);
  expect(await remote.up([{ words: ["a"] }, { words: [] }])).toEqual({ count: 3 });
  expect(await itemsOf(remote.both([{ words: ["a"] }]))).toEqual([{ count: 2 }]);
  expect(types).toEqual(["t.run.v1", "t.note.v1", "t.down.v1", "t.up.v1", "t.both.v1"]);
});

test("old input that does not fit is refused by its own version's name", async () => {
  const error = await failureOf(
    client(before, newAgent.handle, {
      use: [(next) => (call) => next(derive(call, { message: { ...call.message, data: {} } }))],
    }).run({ text: "" }),
  );
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "rejected", issues: [{ path: ["text"] }] });
  expect(error.message).toContain("the input of t.run.v1");
});

test("a new client that must speak the old form still checks the new one", async () => {
  const operations = { "t.run": { kind: "request", versions: [1] } } as const;
  const only = contract("t", { run: now.operations.run });
  const remote = client(only, () => expect.unreachable(), { operations });
  expect(await failureOf(remote.run({ words: "a" as never }))).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
    issues: [{ path: ["words"] }],
  });
});

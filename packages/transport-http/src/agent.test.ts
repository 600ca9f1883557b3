import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import {
  agent,
  bidiStream,
  clientStream,
  connect,
  contract,
  notify,
  request,
  serve,
  serverStream,
  topic,
} from "@parley/core";
import { expect, test } from "vitest";
import { createHttpHandler, http } from "./index.ts";

/** A Standard Schema by hand. */
interface Members<Value> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: Value; readonly output: Value };
    readonly validate: (
      value: unknown,
    ) =>
      | { readonly value: Value }
      | { readonly issues: readonly { readonly message: string; readonly path: readonly string[] }[] };
  };
}

/** A schema that takes objects with these members. */
function members<Value extends object>(...names: readonly (keyof Value & string)[]): Members<Value> {
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        const missing = names.find((name) => !(typeof value === "object" && value !== null && name in value));
        return missing === undefined
          ? { value: value as Value }
          : { issues: [{ message: "is missing", path: [missing] }] };
      },
    },
  };
}

const text = contract("text", {
  summarize: request({ input: members<{ text: string }>("text"), output: members<{ summary: string }>("summary") }),
  tokens: serverStream({ input: members<{ prompt: string }>("prompt"), item: members<{ token: string }>("token") }),
  count: clientStream({ item: members<{ word: string }>("word"), output: members<{ words: number }>("words") }),
  shout: bidiStream({ inputItem: members<{ word: string }>("word"), outputItem: members<{ word: string }>("word") }),
  log: notify({ input: members<{ line: string }>("line") }),
  status: topic({ path: "agents/{agent}/status", data: members<{ state: string }>("state") }),
});

const lines: string[] = [];

const summarizer = agent(text, {
  summarize: ({ text }) => ({ summary: text.slice(0, 4) }),
  async *tokens({ prompt }) {
    for (const token of prompt.split(" ")) yield { token };
  },
  async count(words) {
    let count = 0;
    for await (const _ of words) count++;
    return { words: count };
  },
  async *shout(words) {
    for await (const { word } of words) yield { word: word.toUpperCase() };
  },
  log({ line }) {
    lines.push(line);
  },
});

async function* words(...all: readonly string[]): AsyncGenerator<{ word: string }> {
  for (const word of all) yield { word };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

test("an agent is served and called by its contract, all kinds of call", async () => {
  await using server = await serve(summarizer, "http://127.0.0.1:0", { transports: [http()] });
  await using remote = await connect(text, server.urls[0] as URL, { transports: [http()] });
  expect(await remote.summarize({ text: "Long story" })).toEqual({ summary: "Long" });
  expect(await all(remote.tokens({ prompt: "a b" }))).toEqual([{ token: "a" }, { token: "b" }]);
  expect(await remote.count(words("a", "b", "c"))).toEqual({ words: 3 });
  expect(await all(remote.shout(words("a", "b")))).toEqual([{ word: "A" }, { word: "B" }]);
  await remote.log({ line: "hello" });
  await expect.poll(() => lines).toEqual(["hello"]);
});

test("curl gets what the contract says, and what is wrong with what it sent", async () => {
  await using server = await serve(summarizer, "http://127.0.0.1:0", { transports: [http()] });
  const curl = async (path: string, data: unknown): Promise<string> => {
    const { stdout } = await promisify(execFile)("curl", [
      "-s",
      "--json",
      JSON.stringify(data),
      new URL(path, server.urls[0]).href,
    ]);
    return stdout;
  };
  expect(await curl("/text.summarize.v1", { text: "Long story" })).toBe('{"summary":"Long"}');
  expect(await curl("/text.summarize", { text: "Long story" })).toBe('{"summary":"Long"}');
  expect(await curl("/text.tokens.v1", { prompt: "one two" })).toBe('{"token":"one"}\n{"token":"two"}\n');
  expect(JSON.parse(await curl("/text.summarize.v1", {}))).toMatchObject({
    status: 400,
    code: "invalid_argument",
    details: { issues: [{ path: expect.arrayContaining(["text"]) }] },
  });
  expect(JSON.parse(await curl("/text.sumarize.v1", {}))).toMatchObject({ status: 501, code: "unimplemented" });
});

test("an agent's handler mounts wherever requests come from", async () => {
  await using parley = createHttpHandler(summarizer.handle);
  const web = createServer((request, response) => parley.handle(request, response));
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  await using remote = await connect(text, `http://127.0.0.1:${(web.address() as AddressInfo).port}`, {
    transports: [http({ batch: true })],
  });
  const answers = await Promise.all(["abcd1", "efgh2"].map((one) => remote.summarize({ text: one })));
  expect(answers).toEqual([{ summary: "abcd" }, { summary: "efgh" }]);
  web.close();
});

test("what is published reaches a subscriber from the moment it has subscribed", async () => {
  await using server = await serve(summarizer, "http://127.0.0.1:0", { transports: [http()] });
  await using remote = await connect(text, server.urls[0] as URL, { transports: [http()] });
  for (let round = 0; round < 20; round++) {
    const seen = await remote.status.subscribe({});
    await remote.status.publish({ agent: "a" }, { state: `s${round}` });
    for await (const publication of seen) {
      expect(publication).toMatchObject({ data: { state: `s${round}` } });
      break;
    }
  }
});

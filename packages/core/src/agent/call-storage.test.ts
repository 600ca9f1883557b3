import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { itemsOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import type { Call } from "../call/call.ts";
import { memory } from "../transport/memory.ts";
import { agent } from "./agent.ts";
import { client } from "./client.ts";
import { connect } from "./connect.ts";
import { serve } from "./serve.ts";

const transports = [memory()];
const storage = new AsyncLocalStorage<Call>();

test("a client with the storage carries the handled call on by itself, across awaits, timers and stream items", async () => {
  const calls: Call[] = [];
  const downstream = agent(text, textHandlers());
  const other = client(
    text,
    (call) => {
      calls.push(call);
      return downstream.handle(call);
    },
    { storage },
  );
  const handlers = textHandlers({
    async summarize(input) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return other.summarize(input);
    },
    async *tokens({ prompt }) {
      for (const text of prompt.split(" ")) {
        await other.summarize({ text });
        yield { token: text };
      }
    },
  });
  await using server = await serve(agent(text, handlers), "memory://", { transports, storage });
  const sent: Call[] = [];
  await using remote = await connect(text, server.urls[0] as URL, {
    transports,
    storage,
    use: [
      (next) => (call) => {
        sent.push(call);
        return next(call);
      },
    ],
  });
  await Promise.all([remote.summarize({ text: "one" }, { timeoutMs: 5_000 }), remote.summarize({ text: "two" })]);
  expect(await itemsOf(remote.tokens({ prompt: "a b" }))).toHaveLength(2);
  const ids = sent.map(({ message }) => message.id);
  expect(calls.map(({ message }) => message.causationid).sort()).toEqual([ids[0], ids[1], ids[2], ids[2]].sort());
  expect(calls.find(({ message }) => message.causationid === ids[0])?.deadline).toBeGreaterThan(0);
  expect(calls.find(({ message }) => message.causationid === ids[1])?.deadline).toBe(undefined);
  // Outside of any handler there is no call to carry on.
  expect(sent[0]?.message).not.toHaveProperty("causationid");
  expect(storage.getStore()).toBe(undefined);
});

test("leaving a stream early returns the generator within the storage", async () => {
  const seen = Promise.withResolvers<Call | undefined>();
  async function* tokens() {
    try {
      for (;;) yield { token: "x" };
    } finally {
      seen.resolve(storage.getStore());
    }
  }
  await using server = await serve(agent(text, textHandlers({ tokens })), "memory://", { transports, storage });
  await using remote = await connect(text, server.urls[0] as URL, { transports });
  for await (const _ of remote.tokens({ prompt: "" })) break;
  expect((await seen.promise)?.message.type).toBe("text.tokens.v1");
});

test("an agent that answers calls from its peer has its storage too", async () => {
  const seen: (Call | undefined)[] = [];
  const callee = agent(text, textHandlers({ ping: () => void seen.push(storage.getStore()) }));
  const handlers = textHandlers({ ping: (_, call) => call.caller(text).ping() });
  await using server = await serve(agent(text, handlers), "memory://", { transports });
  await using remote = await connect(text, server.urls[0] as URL, { transports, agent: callee, storage });
  await remote.ping();
  expect(seen.map((call) => call?.message.source)).toEqual(["text"]);
});

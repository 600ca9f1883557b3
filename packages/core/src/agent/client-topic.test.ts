import { describe, expect, test } from "vitest";
import { z } from "zod";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { ways, withRemote } from "../../test/remotes.ts";
import { failureOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import type { Call } from "../call/call.ts";
import type { LogEntry } from "../call/log.ts";
import { createEnvelope } from "../envelope/create.ts";
import { agent } from "./agent.ts";
import { client, type Publication } from "./client.ts";
import { contract } from "./contract.ts";
import { createHub } from "./hub.ts";
import { topic } from "./topic.ts";

async function take<Item>(items: AsyncIterable<Item>, count: number): Promise<Item[]> {
  const taken: Item[] = [];
  const iterator = items[Symbol.asyncIterator]();
  while (taken.length < count) taken.push((await iterator.next()).value);
  return taken;
}

describe.for(ways)("%s", (way) => {
  test("once subscribed, the very next publication arrives, typed", async () => {
    await withRemote(way, agent(text, textHandlers()), async ({ status }) => {
      for (let round = 0; round < 20; round++) {
        const updates = await status.subscribe({ agent: "a" });
        await status.publish({ agent: "a" }, { state: round % 2 === 0 ? "busy" : "idle" });
        const [{ data, params, topic }] = (await take(updates, 1)) as [Publication<"agents/{agent}/status">];
        expect({ data, params, topic }).toEqual({
          data: { state: round % 2 === 0 ? "busy" : "idle" },
          params: { agent: "a" },
          topic: "agents/a/status",
        });
        await updates.close();
      }
    });
  });

  test("parameters choose the topics; those left out match any", async () => {
    await withRemote(way, agent(text, textHandlers()), async ({ status }) => {
      const [one, any] = [await status.subscribe({ agent: "b" }), await status.subscribe()];
      expect([one.filter, any.filter]).toEqual(["agents/b/status", "agents/+/status"]);
      for (const agent of ["a", "b", "c"]) await status.publish({ agent }, { state: "idle" });
      await status.publish({ agent: "b" }, { state: "busy" });
      expect((await take(one, 2)).map(({ data }) => data.state)).toEqual(["idle", "busy"]);
      expect((await take(any, 4)).map(({ params }) => params.agent)).toEqual(["a", "b", "c", "b"]);
    });
  });

  test("a publication keeps its publisher's id, source, time and attributes", async () => {
    const sent: Call[] = [];
    const use = [
      (next: (call: Call) => Promise<object>) => (call: Call) => {
        if (call.kind === "publish") sent.push(call);
        return next(call);
      },
    ];
    await withRemote(
      way,
      agent(text, textHandlers()),
      async ({ status }) => {
        const updates = await status.subscribe();
        await status.publish(
          { agent: "a" },
          { state: "idle" },
          { attributes: { tenant: "acme", partitionkey: "p" }, timeoutMs: 1_000 },
        );
        const [update] = await take(updates, 1);
        const { call: _call, seq: _seq, sn: _sn, ...message } = update?.message ?? {};
        expect(message).toEqual({ ...sent[0]?.message, kind: "item" });
      },
      { use, source: "publisher" },
    );
  });

  test("leaving the loop ends the subscription, here and at the agent", async () => {
    const hub = createHub();
    await withRemote(way, agent(text, textHandlers(), { hub }), async ({ status }) => {
      const left = await status.subscribe();
      const disposed = await status.subscribe();
      const cancelled = new AbortController();
      const aborted = await status.subscribe({}, { signal: cancelled.signal });
      expect(hub.stats().subscriptions).toBe(3);
      await status.publish({ agent: "a" }, { state: "idle" });
      for await (const _ of left) break;
      await disposed[Symbol.asyncDispose]();
      expect(await take(disposed, 1)).toEqual([undefined]);
      cancelled.abort();
      expect(await failureOf(take(aborted, 1))).toMatchObject({ code: "cancelled" });
      await expect.poll(() => hub.stats().subscriptions).toBe(0);
    });
  });

  test("a message that does not fit is passed over, counted and logged; the subscription goes on", async () => {
    const hub = createHub();
    const entries: LogEntry[] = [];
    await withRemote(
      way,
      agent(text, textHandlers(), { hub }),
      async ({ status }) => {
        const updates = await status.subscribe();
        const publication = { kind: "publish", source: "device", subject: "agents/a/status" } as const;
        // Whoever is on the same broker, past the agent's check.
        hub.publish(createEnvelope({ ...publication, type: "text.status.v1", data: { state: "asleep" } }));
        hub.publish(createEnvelope({ ...publication, type: "text.status.v9", data: { state: "idle" } }));
        hub.publish(createEnvelope({ ...publication, type: "com.example.reading", data: { state: "idle" } }));
        const [update] = await take(updates, 1);
        expect(update?.message.type).toBe("com.example.reading");
        expect(updates.refused).toBe(2);
      },
      { log: (entry) => entries.push(entry) },
    );
    expect(entries.map(({ event, fields }) => [event, fields?.["type"]])).toEqual([
      ["publication-refused", "text.status.v1"],
      ["publication-refused", "text.status.v9"],
    ]);
  });

  test("the agent refuses a subscription that is none, before anything arrives", async () => {
    const remote = text.operations.status.path;
    expect(remote).toBe("agents/{agent}/status");
    await withRemote(
      way,
      agent(text, textHandlers(), { hub: createHub({ maxSubscriptions: 0 }) }),
      async ({ status }) => {
        expect(await failureOf(status.subscribe())).toMatchObject({ code: "resource_exhausted", outcome: "rejected" });
      },
    );
  });
});

test("data or parameters that do not fit are refused before anything is sent", async () => {
  const { status } = client(text, () => expect.unreachable());
  expect(await failureOf(status.publish({ agent: "a" }, { state: "asleep" as never }))).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
  });
  expect(await failureOf(status.publish({ agent: "a/b" }, { state: "idle" }))).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
  });
  expect(await failureOf(status.publish({} as never, { state: "idle" }))).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
  });
  expect(await failureOf(status.subscribe({ agent: "#" }))).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
  });
});

test("a subscription can be iterated once, and says so", async () => {
  const { topics } = agent(text, textHandlers());
  const updates = await topics.status.subscribe();
  updates[Symbol.asyncIterator]();
  expect(await failureOf(() => updates[Symbol.asyncIterator]())).toMatchObject({ code: "failed_precondition" });
});

test("the client's timeout is for becoming active, not for the life of a subscription", async () => {
  const { runtime, advance, ...clock } = manualRuntime();
  const calls: Call[] = [];
  const remote = client(
    text,
    (call) => {
      calls.push(call);
      return new Promise(() => {});
    },
    { runtime, timeoutMs: 100 },
  );
  const failed = failureOf(remote.status.subscribe());
  expect(calls[0]?.deadline).toBe(undefined);
  advance(100);
  expect(await failed).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
  expect(calls[0]?.aborted).toMatchObject({ code: "deadline_exceeded" });
  const active = agent(text, textHandlers(), { runtime });
  const updates = await client(text, active.handle, { runtime, timeoutMs: 100 }).status.subscribe();
  expect(clock.timers).toBe(0);
  advance(1_000);
  await active.topics.status.publish({ agent: "a" }, { state: "idle" });
  expect(await take(updates, 1)).toHaveLength(1);
});

test("a reader who falls behind gets what was kept, then `data_loss`", async () => {
  const slow = agent(text, textHandlers(), { hub: createHub({ maxQueued: 2 }) });
  const updates = await slow.topics.status.subscribe();
  for (let count = 0; count < 5; count++) await slow.topics.status.publish({ agent: String(count) }, { state: "idle" });
  const seen: string[] = [];
  const error = await failureOf(async () => {
    for await (const { params } of updates) seen.push(params.agent);
  });
  expect(seen).toEqual(["0", "1"]);
  expect(error).toMatchObject({ code: "data_loss", details: { lost: 3 } });
});

const versioned = contract("t", {
  news: topic({
    path: "news/{place}",
    version: 2,
    data: z.object({ words: z.array(z.string()) }),
    previous: {
      1: {
        data: {
          schema: z.object({ text: z.string() }),
          upcast: ({ text }) => ({ words: text.split(" ") }),
          downcast: ({ words }) => ({ text: words.join(" ") }),
        },
      },
    },
  }),
});

test("publications of every version reach a subscriber in the present form", async () => {
  const publisher = agent(versioned, {});
  const updates = await publisher.topics.news.subscribe();
  const old = client(versioned, publisher.handle, { operations: { "t.news": { kind: "publish", versions: [1] } } });
  await old.news.publish({ place: "x" }, { words: ["a", "b"] });
  await publisher.topics.news.publish({ place: "x" }, { words: ["c"] });
  const [first, second] = await take(updates, 2);
  expect(first?.message).toMatchObject({ type: "t.news.v1", data: { text: "a b" } });
  expect([first?.data, second?.data]).toEqual([{ words: ["a", "b"] }, { words: ["c"] }]);
});

test("async schemas work for topics", async () => {
  const data = z.string().refine(async (value) => value !== "bad");
  const made = agent(contract("t", { news: topic({ path: "news", data }) }), {});
  const updates = await made.topics.news.subscribe({});
  expect(await failureOf(made.topics.news.publish({}, "bad"))).toMatchObject({ code: "invalid_argument" });
  made.hub.publish(createEnvelope({ kind: "publish", type: "x", source: "device", subject: "news", data: "bad" }));
  await made.topics.news.publish({}, "good");
  expect((await take(updates, 1)).map(({ data }) => data)).toEqual(["good"]);
  expect(updates.refused).toBe(1);
});

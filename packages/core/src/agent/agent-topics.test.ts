import { expect, test } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import { type Call, createCall } from "../call/call.ts";
import { createEnvelope } from "../envelope/create.ts";
import type { CallKind } from "../envelope/envelope.ts";
import { agent } from "./agent.ts";
import { createHub } from "./hub.ts";

function callOf(kind: CallKind, type: string, subject?: string, data?: unknown): Call {
  const message = createEnvelope({
    kind,
    type,
    source: "test",
    ...(subject === undefined ? {} : { subject }),
    ...(data === undefined ? {} : { data }),
  });
  return createCall({ kind, message });
}

const hub = createHub();
const publisher = agent(text, textHandlers(), { hub });

test("any topic can be published and subscribed to, under any type", async () => {
  const { output } = await publisher.handle(callOf("subscribe", "com.example.any", "plant/#"));
  expect(publisher.handle(callOf("publish", "com.example.reading", "plant/1", 21.5))).toEqual({});
  const iterator = (output as AsyncIterable<object>)[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toMatchObject({
    subject: "plant/1",
    data: 21.5,
    kind: "item",
    type: "com.example.reading",
  });
  await iterator.return?.();
});

test.for(["text.status.v1", "com.example.reading"])(
  "what is published as %s to a declared topic must fit it",
  async (type) => {
    const before = hub.stats().published;
    const error = await failureOf(() =>
      publisher.handle(callOf("publish", type, "agents/a/status", { state: "asleep" })),
    );
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "rejected", issues: [{ path: ["state"] }] });
    expect(hub.stats().published).toBe(before);
    expect(publisher.handle(callOf("publish", type, "agents/a/status", { state: "busy" }))).toEqual({});
  },
);

test("a declared type must be published to its own topic", async () => {
  for (const subject of ["agents/a/log", "elsewhere", "agents/a/status/x"]) {
    const error = await failureOf(() =>
      publisher.handle(callOf("publish", "text.status.v1", subject, { state: "busy" })),
    );
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "rejected" });
    expect(error.message).toContain("agents/+/status");
  }
});

test("an unknown version of a declared topic is unimplemented", async () => {
  const error = await failureOf(() =>
    publisher.handle(callOf("publish", "text.status.v2", "agents/a/status", { state: "busy" })),
  );
  expect(error).toMatchObject({ code: "unimplemented" });
  expect(error.message).toContain("only version 1");
});

test.for([
  ["publish", undefined],
  ["publish", "agents/+/status"],
  ["publish", "#"],
  ["subscribe", undefined],
  ["subscribe", "a/#/b"],
] as const)("a call of kind %s with the subject %s is refused", async ([kind, subject]) => {
  expect(await failureOf(() => publisher.handle(callOf(kind, "x", subject)))).toMatchObject({
    code: "invalid_argument",
    outcome: "rejected",
  });
});

test("agents can share a hub", async () => {
  const shared = createHub();
  const [one, two] = [agent(text, textHandlers(), { hub: shared }), agent(text, textHandlers(), { hub: shared })];
  await using updates = await one.topics.status.subscribe();
  await two.topics.status.publish({ agent: "a" }, { state: "busy" });
  for await (const { data } of updates) {
    expect(data).toEqual({ state: "busy" });
    break;
  }
});

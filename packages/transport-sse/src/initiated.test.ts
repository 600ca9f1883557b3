import { type CallKind, createCall, createEnvelope, type Handler, type Peer, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { cable } from "../test/cable.ts";
import { announcing, answers, collect, items, make, rejection, wire } from "../test/wires.ts";
import { sse } from "./index.ts";

/** Answers a request with what its caller answers. */
const asking: Handler = announcing({}, async ({ message, context }) => {
  const answer = await callBack(context.peer, "request", message.data);
  return { message: reply(message, "/agent", answer?.message?.data ?? null) };
});

async function callBack(peer: Peer | undefined, kind: CallKind, data: unknown, input?: AsyncIterable<never>) {
  const message = createEnvelope({ kind, type: "test.ask.v1", source: "/agent", data });
  return peer?.invoke?.(createCall({ kind, message, input }));
}

const client: Handler = (call) => {
  const { message, kind, input } = call;
  switch (kind) {
    case "request":
      return { message: reply(message, "/client", [message.data]) };
    case "client-stream":
      return collect(input).then((all) => ({ message: reply(message, "/client", all) }));
    default:
      return { output: answers(call, message.data as unknown[]) };
  }
};

test("a handler calls back whoever called it, in all kinds", async () => {
  const agent: Handler = announcing({}, async ({ message, context: { peer } }) => {
    const one = await callBack(peer, "request", 1);
    const many = await collect((await callBack(peer, "server-stream", [1, 2, 3]))?.output);
    const input = items([4, 5]) as AsyncIterable<never>;
    const sum = await callBack(peer, "client-stream", undefined, input);
    return { message: reply(message, "/agent", [one?.message?.data, many, sum?.message?.data]) };
  });
  await using listener = await sse().listen(new URL("sse://127.0.0.1:0"), agent);
  await using connection = await sse().connect(listener.url, { handler: client });
  const { message } = await make({ connection }, "request");
  expect(message?.data).toEqual([[1], [1, 2, 3], [4, 5]]);
});

test("who was given no handler cannot be called", async () => {
  await using it = await wire(asking);
  expect((await make(it, "request", { data: 1 })).message?.data).toBeNull();
});

test("after a cut the channel is opened anew, and calls come again", async () => {
  using way = await cable();
  await using listener = await sse().listen(new URL("sse://127.0.0.1:0"), asking);
  await using connection = await sse().connect(way.via(listener.url), { handler: client });
  expect((await make({ connection }, "request", { data: 1 })).message?.data).toEqual([1]);
  way.cut();
  const answer = async (): Promise<unknown> => (await make({ connection }, "request", { data: 2 })).message?.data;
  await expect.poll(() => answer().catch(() => undefined)).toEqual([2]);
});

test("a stranger who learns the name of a channel calls nobody by it over another identity, and none at all without it", async () => {
  await using listener = await sse().listen(new URL("sse://127.0.0.1:0"), asking);
  await using connection = await sse().connect(listener.url, { handler: client });
  await using other = await sse({ headers: { "parley-session": "AAAAAAAAAAAAAAAAAAAAAA" } }).connect(listener.url);
  expect((await make({ connection: other }, "request", { data: 1 })).message?.data).toBeNull();
  expect((await make({ connection }, "request", { data: 1 })).message?.data).toEqual([1]);
});

test("a call back fails as unavailable when its connection closes", async () => {
  let peer: Peer | undefined;
  const agent: Handler = announcing({}, ({ message, context }) => {
    peer = context.peer;
    return { message: reply(message, "/agent") };
  });
  await using listener = await sse().listen(new URL("sse://127.0.0.1:0"), agent);
  const connection = await sse().connect(listener.url, {
    handler: () => new Promise(() => {}),
  });
  await make({ connection }, "request");
  const waiting = rejection(callBack(peer, "request", 1));
  await connection.close({ graceMs: 0 });
  expect(await waiting).toMatchObject({ code: "unavailable" });
});

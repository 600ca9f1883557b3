import { expect, test } from "vitest";
import { z } from "zod";
import { failureOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import { createCall } from "../call/call.ts";
import type { Handler } from "../call/interceptor.ts";
import { createEnvelope } from "../envelope/create.ts";
import { memory } from "../transport/memory.ts";
import type { Connection, Transport } from "../transport/transport.ts";
import { agent } from "./agent.ts";
import { connect } from "./connect.ts";
import { contract } from "./contract.ts";
import { request, serverStream } from "./operation.ts";
import { serve } from "./serve.ts";

const transports = [memory()];

/** The transport, and the connections it made. */
function watching(): { readonly transport: Transport; readonly connections: Connection[] } {
  const inner = memory();
  const connections: Connection[] = [];
  const connectInner = async (...args: Parameters<Transport["connect"]>): Promise<Connection> => {
    const connection = await inner.connect(...args);
    connections.push(connection);
    return connection;
  };
  return { transport: { ...inner, connect: connectInner }, connections };
}

test("a remote has its connection, and closes it", async () => {
  await using server = await serve(agent(text, textHandlers()), "memory://", { transports });
  const remote = await connect(text, server.urls[0] as URL, { transports });
  expect(remote.connection.state).toBe("open");
  expect(remote.connection.hello.name).toBe("text");
  await Promise.all([remote.close(), remote.close({ graceMs: 1 })]);
  await remote[Symbol.asyncDispose]();
  expect(remote.connection.state).toBe("closed");
  expect(await failureOf(remote.ping())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("a peer that does not fit the contract is refused before any call, and the connection closed", async () => {
  const other = contract("text", {
    summarize: request({ version: 3, input: z.string() }),
    tokens: request({ input: z.string() }),
    missing: serverStream({ item: z.string() }),
  });
  await using server = await serve(agent(text, textHandlers({ summarize: () => expect.unreachable() })), "memory://", {
    transports,
  });
  const { transport, connections } = watching();
  const error = await failureOf(connect(other, server.urls[0] as URL, { transports: [transport] }));
  expect(error).toMatchObject({ code: "failed_precondition", outcome: "not-sent" });
  expect(error.message).toContain("text.summarize: this side speaks version 3, the peer answers 1");
  expect(error.message).toContain("text.tokens: it is a server-stream there, and a request here");
  expect(error.message).toContain("text.missing: it is not there");
  expect(error.message).toContain("Operations here: text.summarize (3)");
  expect(error.message).toContain("Operations there: text.summarize (1), text.ping (1)");
  expect((error.details as { mismatches: object[] }).mismatches[0]).toMatchObject({
    operation: "text.summarize",
    spoken: [3],
    answered: [1],
  });
  expect(connections.map(({ state }) => state)).toEqual(["closed"]);
});

test("a peer that does not say what it answers is taken at the contract's word", async () => {
  await using server = await serve(
    (call) => ({
      message: { specversion: "1.0", parley: "1", id: "1", source: "bare", type: call.message.type, kind: "reply" },
    }),
    "memory://",
    { transports },
  );
  await using remote = await connect(text, server.urls[0] as URL, { transports });
  expect(await remote.ping()).toBe(undefined);
});

test("the highest version in common is chosen by the handshake", async () => {
  const schema = z.object({ n: z.number() });
  const old = contract("t", { run: request({ input: schema, output: schema }) });
  const casts = {
    schema,
    upcast: (old: { n: number }) => ({ m: old.n }),
    downcast: (now: { m: number }) => ({ n: now.m }),
  };
  const present = z.object({ m: z.number() });
  const now = contract("t", {
    run: request({ version: 2, input: present, output: present, previous: { 1: { input: casts, output: casts } } }),
  });
  await using oldServer = await serve(agent(old, { run: (all) => all }), "memory://", { transports });
  await using newServer = await serve(agent(now, { run: (all) => all }), "memory://", { transports });
  for (const server of [oldServer, newServer]) {
    await using remote = await connect(now, server.urls[0] as URL, { transports });
    expect(await remote.run({ m: 4 })).toEqual({ m: 4 });
  }
  await using remote = await connect(old, newServer.urls[0] as URL, { transports });
  expect(await remote.run({ n: 4 })).toEqual({ n: 4 });
});

test("a wrong address is refused as `serve` refuses it", async () => {
  expect((await failureOf(connect(text, "ws://127.0.0.1:1", { transports }))).message).toContain(
    "@parley/transport-ws",
  );
  expect((await failureOf(connect(text, "nope", { transports }))).message).toContain('"nope" is no URL');
});

test("nobody there is the transport's error", async () => {
  expect(await failureOf(connect(text, "memory://nobody", { transports }))).toMatchObject({
    code: "unavailable",
    outcome: "not-sent",
  });
});

test("interceptors surround what is called, and the client's timeout is for every call", async () => {
  const deadlines: (number | undefined)[] = [];
  await using server = await serve(agent(text, textHandlers()), "memory://", { transports });
  await using remote = await connect(text, server.urls[0] as URL, {
    transports,
    timeoutMs: 5_000,
    source: "tests/connect",
    use: [
      (next) => (call) => {
        deadlines.push(call.deadline);
        expect(call.message.source).toBe("tests/connect");
        return next(call);
      },
    ],
  });
  await remote.ping();
  expect(deadlines).toEqual([expect.any(Number)]);
});

test("closing waits for notifications that the peer was told are accepted, past the end of the connection", async () => {
  const release = Promise.withResolvers<void>();
  const callee = agent(text, textHandlers({ log: () => release.promise }));
  await using server = await serve(agent(text, textHandlers()), "memory://", { transports });
  let handler: Handler | undefined;
  const inner = memory();
  const transport: Transport = {
    ...inner,
    connect(url, options) {
      handler = options?.handler;
      return inner.connect(url, options);
    },
  };
  const remote = await connect(text, server.urls[0] as URL, { transports: [transport], agent: callee });
  const opener = createEnvelope({ kind: "notify", type: "text.log.v1", source: "test", data: { line: "" } });
  await handler?.(createCall({ kind: "notify", message: opener }));
  const order: string[] = [];
  const closed = remote.close().then(() => order.push("closed"));
  await remote.connection.closed;
  await new Promise((resolve) => setImmediate(resolve));
  order.push("released");
  release.resolve();
  await closed;
  expect(order).toEqual(["released", "closed"]);
});

test("an option that there is not is refused before anything is sent, by connect, serve and each call", async () => {
  const handler = textHandlers();
  const misspelt: [() => Promise<unknown>, string][] = [
    [() => connect(text, "memory://misspelt", { transport: [memory()] } as never), "connect has no option"],
    [
      () => serve(agent(text, handler), "memory://misspelt", { transports, logs: console.log } as never),
      "did you mean log?",
    ],
  ];
  await using server = await serve(agent(text, handler), "memory://misspelt", { transports });
  await using remote = await connect(text, server.urls[0], { transports });
  const options = { timeout: 5 } as object;
  misspelt.push(
    [() => remote.summarize({ text: "a" }, options), 'a call has no option "timeout"; did you mean timeoutMs?'],
    [() => remote.tokens({ prompt: "a" }, options)[Symbol.asyncIterator]().next() as Promise<unknown>, "timeoutMs"],
  );
  for (const [act, advice] of misspelt) {
    const error = await failureOf(act());
    expect(error).toMatchObject({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining(advice),
    });
  }
});

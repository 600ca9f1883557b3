import { expect, test } from "vitest";
import { z } from "zod";
import { failureOf, itemsOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import { createCall } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import type { Handler, Interceptor } from "../call/interceptor.ts";
import type { LogEntry } from "../call/log.ts";
import { createEnvelope } from "../envelope/create.ts";
import { memory } from "../transport/memory.ts";
import type { CloseOptions, Listener, Transport } from "../transport/transport.ts";
import { agent } from "./agent.ts";
import { connect } from "./connect.ts";
import { contract } from "./contract.ts";
import { notify } from "./operation.ts";
import { serve } from "./serve.ts";

const transports = [memory()];
const message = { text: "hello" };

/** A transport whose listeners are counted. */
function counting(
  scheme: string,
  fails = false,
): Transport & {
  readonly open: Set<string>;
  readonly closes: (CloseOptions | undefined)[];
  handler: Handler | undefined;
} {
  const open = new Set<string>();
  const closes: (CloseOptions | undefined)[] = [];
  return {
    ...memory(),
    schemes: [scheme],
    open,
    closes,
    handler: undefined,
    async listen(url, handler): Promise<Listener> {
      this.handler = handler;
      if (fails) throw new ParleyError("already_exists", "taken");
      open.add(url.href);
      const close = async (options?: CloseOptions) => {
        closes.push(options);
        open.delete(url.href);
      };
      return {
        url,
        stats: () => ({ openCalls: 1, lateMessages: 2, refusedMessages: 3 }),
        close,
        [Symbol.asyncDispose]: () => close(),
      };
    },
  };
}

test("one agent answers at several addresses, each with the port it took", async () => {
  await using server = await serve(agent(text, textHandlers()), ["memory://", new URL("memory://serve-two")], {
    transports,
  });
  expect(server.urls.map(({ href }) => href)).toEqual([expect.stringMatching(/^memory:\/\/.+/), "memory://serve-two"]);
  for (const url of server.urls) {
    await using remote = await connect(text, url, { transports });
    expect(await remote.summarize(message)).toEqual({ summary: "hel" });
  }
});

test("if one address cannot be listened on, none stays open, and its error is the error", async () => {
  const [good, bad] = [counting("good"), counting("bad", true)];
  const error = await failureOf(
    serve(agent(text, textHandlers()), ["good://a", "good://b", "bad://c", "good://d"], { transports: [good, bad] }),
  );
  expect(error).toMatchObject({ code: "already_exists", message: "taken" });
  expect(good.open.size).toBe(0);
  expect(good.closes).toEqual([{ graceMs: 0 }, { graceMs: 0 }]);
});

test("a wrong address is found before anything is opened", async () => {
  const good = counting("good");
  expect(
    await failureOf(serve(agent(text, textHandlers()), ["good://a", "nope"], { transports: [good] })),
  ).toMatchObject({ code: "invalid_argument" });
  expect(await failureOf(serve(agent(text, textHandlers()), [], { transports: [good] }))).toMatchObject({
    code: "invalid_argument",
  });
  expect(good.closes).toEqual([]);
});

test("what only dials, as in a browser, is no address to listen on", async () => {
  const { listen: _, ...dialling } = { ...memory(), name: "ws" };
  const failure = await failureOf(
    serve(agent(text, textHandlers()), "memory://a", { transports: [dialling as Transport] }),
  );
  expect(failure).toMatchObject({ code: "unimplemented", outcome: "not-sent" });
  expect(failure.message).toMatch(/^ws cannot listen here/);
});

test("closing closes every listener with the grace, once", async () => {
  const good = counting("good");
  const server = await serve(agent(text, textHandlers()), ["good://a", "good://b"], { transports: [good] });
  expect(server.stats()).toEqual({ openCalls: 2, lateMessages: 4, refusedMessages: 6 });
  await Promise.all([server.close({ graceMs: 7 }), server.close()]);
  await server[Symbol.asyncDispose]();
  expect(good.closes).toEqual([{ graceMs: 7 }, { graceMs: 7 }]);
});

test("closing waits for notifications that were accepted, past the end of the listeners", async () => {
  const release = Promise.withResolvers<void>();
  const good = counting("good");
  const server = await serve(agent(text, textHandlers({ log: () => release.promise })), "good://a", {
    transports: [good],
  });
  const opener = createEnvelope({ kind: "notify", type: "text.log.v1", source: "test", data: { line: "" } });
  await good.handler?.(createCall({ kind: "notify", message: opener }));
  const order: string[] = [];
  const closed = server.close().then(() => order.push("closed"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(good.open.size).toBe(0);
  order.push("released");
  release.resolve();
  await closed;
  expect(order).toEqual(["released", "closed"]);
});

test("interceptors surround every call that arrives, the first outermost", async () => {
  const seen: string[] = [];
  const note =
    (name: string): Interceptor =>
    (next) =>
    (call) => {
      if (!call.message.type.startsWith("parley.")) seen.push(`${name} ${call.context.peer?.transport} ${call.kind}`);
      return next(call);
    };
  await using server = await serve(agent(text, textHandlers()), "memory://", {
    transports,
    use: [note("outer"), note("inner")],
  });
  await using remote = await connect(text, server.urls[0] as URL, { transports });
  await remote.summarize(message);
  expect(await itemsOf(remote.tokens({ prompt: "a" }))).toEqual([{ token: "a" }]);
  expect(seen).toEqual([
    "outer memory request",
    "inner memory request",
    "outer memory server-stream",
    "inner memory server-stream",
  ]);
});

test("an interceptor can refuse", async () => {
  const deny: Interceptor = (next) => (call) =>
    call.kind === "publish" ? Promise.reject(new ParleyError("permission_denied", "read only")) : next(call);
  await using server = await serve(agent(text, textHandlers()), "memory://", {
    transports,
    use: [
      deny,
      (next) => (call) =>
        call.kind === "request" && call.message.type === "text.ping.v1"
          ? Promise.reject(new ParleyError("permission_denied", "no ping"))
          : next(call),
    ],
  });
  await using remote = await connect(text, server.urls[0] as URL, { transports });
  expect(await failureOf(remote.ping())).toMatchObject({ code: "permission_denied", outcome: "rejected" });
});

test("what a handler throws is told to the server's log once, with the cause", async () => {
  const entries: LogEntry[] = [];
  const summarize = () => {
    throw new Error("broken pipe");
  };
  await using server = await serve(agent(text, textHandlers({ summarize })), "memory://", {
    transports,
    log: (entry) => entries.push(entry),
  });
  await using remote = await connect(text, server.urls[0] as URL, { transports });
  const error = await failureOf(remote.summarize(message));
  expect(error).toMatchObject({
    code: "internal",
    message: "the handler failed; the option log of its agent tells why",
  });
  expect(entries.filter(({ level }) => level === "error")).toMatchObject([
    { event: "handler-failed", message: expect.stringContaining("broken pipe") },
  ]);
});

test("the agent's own log comes before the server's", async () => {
  const [own, servers]: LogEntry[][] = [[], []];
  const summarize = () => {
    throw new Error("x");
  };
  const failing = agent(text, textHandlers({ summarize }), { log: (entry) => own?.push(entry) });
  await using server = await serve(failing, "memory://", { transports, log: (entry) => servers?.push(entry) });
  await using remote = await connect(text, server.urls[0] as URL, { transports });
  await failureOf(remote.summarize(message));
  expect(own).toHaveLength(1);
  expect(servers).toEqual([]);
});

test("a handler instead of an agent makes a relay: answers, errors and outcomes pass through", async () => {
  const summarize = ({ text }: { text: string }) => {
    if (text === "fail") throw new ParleyError("not_found", "no such text", { details: { a: 1 } });
    return { summary: text };
  };
  await using origin = await serve(agent(text, textHandlers({ summarize })), "memory://", { transports });
  await using link = await connect(text, origin.urls[0] as URL, { transports });
  await using relay = await serve(link.connection.call, "memory://", { transports });
  await using remote = await connect(text, relay.urls[0] as URL, { transports });
  expect(remote.connection.hello.name).toBe("text");
  expect(await remote.summarize(message)).toEqual({ summary: "hello" });
  expect(await itemsOf(remote.chat([{ say: "a" }, { say: "b" }]))).toEqual([{ heard: "a" }, { heard: "b" }]);
  expect(await failureOf(remote.summarize({ text: "fail" }))).toMatchObject({
    code: "not_found",
    outcome: "rejected",
    details: { a: 1 },
  });
  await using updates = await remote.status.subscribe();
  await remote.status.publish({ agent: "a" }, { state: "busy" });
  for await (const { data } of updates) {
    expect(data).toEqual({ state: "busy" });
    break;
  }
});

test("the server publishes to whoever subscribed", async () => {
  await using server = await serve(agent(text, textHandlers()), "memory://", { transports });
  await using remote = await connect(text, server.urls[0] as URL, { transports });
  await using updates = await remote.status.subscribe();
  await server.topics.status.publish({ agent: "a" }, { state: "busy" });
  for await (const { data, message } of updates) {
    expect(data).toEqual({ state: "busy" });
    expect(message.source).toBe("text");
    break;
  }
});

test("a close waits for a notification whose input is still being validated", async () => {
  const slow = z.string().refine(async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return true;
  });
  let done = false;
  const logs = contract("logs", { line: notify({ input: slow }) });
  const logger = agent(logs, {
    async line() {
      await new Promise((resolve) => setTimeout(resolve, 30));
      done = true;
    },
  });
  const server = await serve(logger, "memory://serve-slow", { transports });
  const remote = await connect(logs, "memory://serve-slow", { transports });
  await remote.line("text");
  await remote.connection.ping();
  await server.close();
  expect(done).toBe(true);
});

import { expect, test, vi } from "vitest";
import { z } from "zod";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failureOf, itemsOf } from "../../test/settling.ts";
import { text, textHandlers } from "../../test/text.ts";
import { type Call, createCall } from "../call/call.ts";
import { ParleyError, TransportError, ValidationError } from "../call/error.ts";
import type { LogEntry } from "../call/log.ts";
import { createEnvelope } from "../envelope/create.ts";
import type { CallKind, Envelope } from "../envelope/envelope.ts";
import { HELLO } from "../transport/hello.ts";
import { agent } from "./agent.ts";
import { client } from "./client.ts";
import { contract } from "./contract.ts";
import { request } from "./operation.ts";

function callOf(kind: CallKind, type: string, data?: unknown, more: Partial<Envelope> = {}): Call {
  return createCall({
    kind,
    message: createEnvelope({ kind, type, source: "test", ...(data === undefined ? {} : { data }), ...more }),
  });
}

const summarizer = agent(text, textHandlers());

test("an answer that is ready costs no promise", () => {
  const call = callOf("request", "text.summarize.v1", { text: "hello" });
  expect(summarizer.handle(call)).toEqual({
    message: {
      specversion: "1.0",
      parley: "1",
      id: `${call.message.id}.r`,
      source: "text",
      type: "text.summarize.v1",
      kind: "reply",
      data: { summary: "hel" },
    },
  });
});

test("an answer without data has none", () => {
  const reply = summarizer.handle(callOf("request", "text.ping.v1", "ignored"));
  expect(reply).toMatchObject({ message: { kind: "reply" } });
  expect((reply as { message: object }).message).not.toHaveProperty("data");
});

test("items are numbered", async () => {
  const call = callOf("server-stream", "text.tokens.v1", { prompt: "a b" });
  const { output } = await summarizer.handle(call);
  expect((await itemsOf(output as AsyncIterable<Envelope>)).map(({ id, kind, data }) => ({ id, kind, data }))).toEqual([
    { id: `${call.message.id}.s1`, kind: "item", data: { token: "a" } },
    { id: `${call.message.id}.s2`, kind: "item", data: { token: "b" } },
  ]);
});

test("the handshake tells name, kinds and versions", () => {
  const named = agent(text, textHandlers(), { name: "summarizer" });
  expect(named.name).toBe("summarizer");
  expect(named.handle(callOf("request", HELLO, {}))).toMatchObject({
    message: {
      source: "summarizer",
      data: {
        name: "summarizer",
        operations: {
          "text.summarize": { kind: "request", versions: [1] },
          "text.tokens": { kind: "server-stream", versions: [1] },
          "text.upload": { kind: "client-stream", versions: [1] },
          "text.chat": { kind: "bidi-stream", versions: [1] },
          "text.log": { kind: "notify", versions: [1] },
          "text.status": { kind: "publish", versions: [1] },
        },
      },
    },
  });
});

test("an unknown operation is unimplemented, with names that are near", async () => {
  const error = await failureOf(() => summarizer.handle(callOf("request", "text.sumarize.v1")));
  expect(error).toMatchObject({ code: "unimplemented", outcome: "rejected" });
  expect(error.message).toBe("there is no operation text.sumarize.v1 here; did you mean text.summarize.v1?");
  expect((await failureOf(() => summarizer.handle(callOf("notify", "nothing.like.it")))).message).toBe(
    "there is no operation nothing.like.it here",
  );
  for (const type of ["constructor", "__proto__.v1", "toString.v1", ".v1"]) {
    expect(await failureOf(() => summarizer.handle(callOf("request", type)))).toMatchObject({ code: "unimplemented" });
  }
});

test("an unknown version fails with the ranges of both sides", async () => {
  const error = await failureOf(() => summarizer.handle(callOf("request", "text.summarize.v3")));
  expect(error).toMatchObject({ code: "failed_precondition", details: { offered: [3], supported: [1] } });
  expect(error.message).toBe("text.summarize has version 1 here, not 3");
});

test("another kind of call than the contract's is an invalid argument", async () => {
  const error = await failureOf(() => summarizer.handle(callOf("request", "text.tokens.v1", { prompt: "" })));
  expect(error).toMatchObject({
    code: "invalid_argument",
    message: "text.tokens.v1 is a server-stream, and was called as request",
  });
  const topic = await failureOf(() => summarizer.handle(callOf("request", "text.status.v1")));
  expect(topic).toMatchObject({
    code: "invalid_argument",
    message: "text.status.v1 is a topic, and was called as request",
  });
  expect(await failureOf(() => summarizer.handle(callOf("notify", HELLO)))).toMatchObject({ code: "unimplemented" });
  expect(await failureOf(() => summarizer.handle(callOf("client-stream", "text.upload.v1")))).toMatchObject({
    code: "invalid_argument",
  });
});

test("input that does not fit never reaches a handler", async () => {
  const summarize = vi.fn(() => ({ summary: "" }));
  const tokens = vi.fn(() => []);
  const log = vi.fn();
  const strict = agent(text, textHandlers({ summarize, tokens, log }));
  for (const [kind, type] of [
    ["request", "text.summarize.v1"],
    ["server-stream", "text.tokens.v1"],
    ["notify", "text.log.v1"],
  ] as const) {
    const error = await failureOf(() => strict.handle(callOf(kind, type, { other: 1 })));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.outcome).toBe("rejected");
    expect(error.message).toContain(`the input of ${type} is invalid`);
  }
  expect([summarize, tokens, log].flatMap(({ mock }) => mock.calls)).toEqual([]);
});

test("an item of input that does not fit is thrown into the handler, and refuses the call", async () => {
  const call = createCall({
    kind: "client-stream",
    message: createEnvelope({ kind: "client-stream", type: "text.upload.v1", source: "test" }),
    input: (async function* () {
      for (const data of [{ size: 1 }, { size: "x" }])
        yield createEnvelope({ kind: "item", type: "text.upload.v1", source: "test", data });
    })(),
  });
  const error = await failureOf(async () => summarizer.handle(call));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "rejected", issues: [{ path: ["size"] }] });
  expect(error.message).toContain("item 2 of the input of text.upload.v1");
});

test("a call that is over or too late reaches no handler", async () => {
  const { runtime, advance } = manualRuntime();
  const ping = vi.fn();
  const clocked = agent(text, textHandlers({ ping }), { runtime });
  const message = createEnvelope({ kind: "request", type: "text.ping.v1", source: "test" });
  const aborted = createCall({ kind: "request", message }, runtime);
  aborted.abort(new ParleyError("cancelled", "over"));
  expect(await failureOf(() => clocked.handle(aborted))).toMatchObject({ code: "cancelled" });
  const late = createCall({ kind: "request", message, deadline: runtime.now() + 5 }, runtime);
  late.settle();
  advance(5);
  expect(await failureOf(() => clocked.handle(late))).toMatchObject({ code: "deadline_exceeded", outcome: "rejected" });
  expect(ping).not.toHaveBeenCalled();
});

test.for([
  ["undefined", undefined],
  ["a string", "canary /etc/secret"],
  ["a frozen error", Object.freeze(new Error("canary /etc/secret"))],
  ["a null-prototype object", Object.create(null)],
] as const)(
  "a handler that throws %s answers `internal`, without its text; the log hears of it once",
  async ([, thrown]) => {
    const entries: LogEntry[] = [];
    const ways = [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ];
    for (const summarize of ways) {
      const failing = agent(text, textHandlers({ summarize }), { log: (entry) => entries.push(entry) });
      const error = await failureOf(async () => failing.handle(callOf("request", "text.summarize.v1", { text: "" })));
      expect(error).toMatchObject({
        code: "internal",
        outcome: "rejected",
        message: "the handler failed; the option log of its agent tells why",
      });
      expect(JSON.stringify([error.message, error.details])).not.toContain("canary");
      expect(error.cause).toBe(thrown);
    }
    expect(entries).toHaveLength(2);
    expect(entries[0]).toMatchObject({
      level: "error",
      event: "handler-failed",
      error: { code: "internal" },
      fields: { type: "text.summarize.v1" },
    });
  },
);

test("a stream whose handler throws in the middle ends with `internal`, and the log hears of it once", async () => {
  const entries: LogEntry[] = [];
  async function* tokens() {
    yield { token: "a" };
    throw new Error("canary");
  }
  const failing = agent(text, textHandlers({ tokens }), { log: (entry) => entries.push(entry) });
  const { output } = await failing.handle(callOf("server-stream", "text.tokens.v1", { prompt: "" }));
  const iterator = (output as AsyncIterable<Envelope>)[Symbol.asyncIterator]();
  await iterator.next();
  expect(await failureOf(iterator.next())).toMatchObject({
    code: "internal",
    message: "the handler failed; the option log of its agent tells why",
  });
  expect(entries.map(({ message }) => message)).toEqual(["the handler of text.tokens.v1 failed: canary"]);
});

test("a ParleyError goes out as it is, with the outcome rejected, and is no matter for the log", async () => {
  const entries: LogEntry[] = [];
  const thrown = new TransportError("unavailable", "downstream", {
    outcome: "not-sent",
    retryAfterMs: 3,
    details: { a: 1 },
  });
  const failing = agent(text, textHandlers({ summarize: () => Promise.reject(thrown) }), {
    log: (entry) => entries.push(entry),
  });
  const error = await failureOf(async () => failing.handle(callOf("request", "text.summarize.v1", { text: "" })));
  expect(error).toBeInstanceOf(TransportError);
  expect(error).toMatchObject({
    code: "unavailable",
    outcome: "rejected",
    message: "downstream",
    retryAfterMs: 3,
    details: { a: 1 },
    cause: thrown,
  });
  expect(entries).toEqual([]);
});

test("output that does not fit is `internal` for the caller, and the log has the issues", async () => {
  const entries: LogEntry[] = [];
  const log = (entry: LogEntry) => void entries.push(entry);
  const failing = agent(
    text,
    textHandlers({ summarize: () => ({ summary: 7 as never }), tokens: () => [{ token: 7 as never }] }),
    { log },
  );
  const one = await failureOf(async () => failing.handle(callOf("request", "text.summarize.v1", { text: "" })));
  expect(one).toMatchObject({
    code: "internal",
    message: "the answer of text.summarize.v1 does not fit its contract; the option log of its agent tells why",
    details: undefined,
  });
  const { output } = await failing.handle(callOf("server-stream", "text.tokens.v1", { prompt: "" }));
  const two = await failureOf(itemsOf(output as AsyncIterable<Envelope>));
  expect(two).toMatchObject({ code: "internal", details: undefined });
  expect(entries).toHaveLength(2);
  expect(entries[0]).toMatchObject({ error: { cause: { issues: [{ path: ["summary"] }] } } });
  expect(entries[1]?.message).toContain("item 1 of the output of text.tokens.v1 is invalid: token");
});

test("a handler may throw a ValidationError of its own", async () => {
  const summarize = () => {
    throw new ValidationError("too short", [{ message: "too short", path: ["text"] }]);
  };
  const error = await failureOf(() =>
    agent(text, textHandlers({ summarize })).handle(callOf("request", "text.summarize.v1", { text: "" })),
  );
  expect(error).toMatchObject({ code: "invalid_argument", issues: [{ path: ["text"] }] });
});

test("a handler that gives nothing to iterate is the agent's fault", async () => {
  const failing = agent(text, textHandlers({ tokens: () => undefined as never }));
  expect(
    await failureOf(() => failing.handle(callOf("server-stream", "text.tokens.v1", { prompt: "" }))),
  ).toMatchObject({ code: "internal" });
});

test("what an aborted call comes to is no failure to log", async () => {
  const entries: LogEntry[] = [];
  const call = createCall({
    kind: "request",
    message: createEnvelope({ kind: "request", type: "text.ping.v1", source: "test" }),
  });
  const ping = async () => {
    call.abort(new ParleyError("cancelled", "gone"));
    throw new DOMException("aborted", "AbortError");
  };
  const error = await failureOf(async () =>
    agent(text, textHandlers({ ping }), { log: (entry) => entries.push(entry) }).handle(call),
  );
  expect(error).toMatchObject({ code: "cancelled" });
  expect(entries).toEqual([]);
});

test("a failing handler leaves the others alone", async () => {
  const summarize = async ({ text }: { text: string }) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (text === "13") throw new Error("unlucky");
    return { summary: text };
  };
  const remote = client(text, agent(text, textHandlers({ summarize })).handle);
  const settled = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => remote.summarize({ text: String(index) })),
  );
  expect(settled.flatMap(({ status }, index) => (status === "rejected" ? [index] : []))).toEqual([13]);
});

test("a notification is accepted before its handler is done, and what that throws is for the log", async () => {
  const entries: LogEntry[] = [];
  const release = Promise.withResolvers<void>();
  const log = async () => {
    await release.promise;
    throw new ParleyError("not_found", "nobody hears");
  };
  const told = Promise.withResolvers<void>();
  const noting = agent(text, textHandlers({ log }), {
    log: (entry) => {
      entries.push(entry);
      told.resolve();
    },
  });
  expect(noting.handle(callOf("notify", "text.log.v1", { line: "" }))).toEqual({});
  expect(entries).toEqual([]);
  release.resolve();
  await told.promise;
  expect(entries).toMatchObject([{ event: "handler-failed", error: { code: "not_found" } }]);
  const atOnce = agent(
    text,
    textHandlers({
      log: () => {
        throw new Error("at once");
      },
    }),
    { log: (entry) => entries.push(entry) },
  );
  expect(atOnce.handle(callOf("notify", "text.log.v1", { line: "" }))).toEqual({});
  expect(entries[1]?.message).toContain("at once");
});

test("a notification's handler outlives its call, and keeps its deadline", async () => {
  const { runtime, advance } = manualRuntime();
  let signal: AbortSignal | undefined;
  const log = (_: unknown, call: { signal: AbortSignal }) => {
    signal = call.signal;
    return new Promise<void>(() => {});
  };
  const noting = agent(text, textHandlers({ log }), { runtime });
  const message = createEnvelope({ kind: "notify", type: "text.log.v1", source: "test", data: { line: "" } });
  const call = createCall({ kind: "notify", message, deadline: runtime.now() + 100 }, runtime);
  noting.handle(call);
  call.abort(new ParleyError("unavailable", "the sender is gone"));
  expect(signal?.aborted).toBe(false);
  advance(110);
  expect(signal?.reason).toMatchObject({ code: "deadline_exceeded" });
});

test("draining waits for notifications, and after the grace aborts them", async () => {
  const { runtime, advance, ...clock } = manualRuntime();
  const release = Promise.withResolvers<void>();
  const signals: AbortSignal[] = [];
  const log = ({ line }: { line: string }, call: { signal: AbortSignal }) => {
    signals.push(call.signal);
    return line === "short" ? release.promise : new Promise<void>(() => {});
  };
  const noting = agent(text, textHandlers({ log }), { runtime });
  await noting.drain();
  noting.handle(callOf("notify", "text.log.v1", { line: "short" }));
  const drained = noting.drain({ graceMs: 50 });
  release.resolve();
  await drained;
  expect(signals[0]?.aborted).toBe(false);
  expect(clock.timers).toBe(0);
  noting.handle(callOf("notify", "text.log.v1", { line: "long" }));
  const stuck = noting.drain({ graceMs: 50 });
  advance(50);
  await stuck;
  expect(signals[1]?.reason).toMatchObject({ code: "cancelled" });
});

test("notifications are bounded", async () => {
  const release = Promise.withResolvers<void>();
  const noting = agent(text, textHandlers({ log: () => release.promise }));
  const send = () => noting.handle(callOf("notify", "text.log.v1", { line: "" }));
  for (let count = 0; count < 1_024; count++) send();
  expect(await failureOf(send)).toMatchObject({ code: "resource_exhausted", outcome: "rejected" });
  release.resolve();
  await noting.drain();
  expect(send()).toEqual({});
});

test("handlers may be methods of an object with a state", async () => {
  class Counter {
    readonly start = 40;
    #count = 0;

    increment(): { count: number } {
      this.#count++;
      return { count: this.start + this.#count };
    }
  }
  const made = contract("t", { increment: request({ output: z.object({ count: z.number() }) }) });
  const remote = client(made, agent(made, new Counter()).handle);
  await remote.increment();
  expect(await remote.increment()).toEqual({ count: 42 });
});

test("a missing handler, and one too many, are refused by name", async () => {
  const { ping: _, ...lacking } = textHandlers();
  expect((await failureOf(() => agent(text, lacking as never))).message).toContain("no handler for text.ping");
  const extra = { ...textHandlers(), sumarize: () => {} };
  expect((await failureOf(() => agent(text, extra))).message).toContain(
    "the handler sumarize belongs to no operation of the contract text; did you mean summarize?",
  );
});

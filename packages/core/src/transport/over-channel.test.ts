import { describe, expect, it } from "vitest";
import { createCall } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import type { Handler, Reply } from "../call/interceptor.ts";
import type { LogEntry } from "../call/log.ts";
import { createEnvelope } from "../envelope/create.ts";
import { decode } from "../envelope/decode.ts";
import type { CallKind, Envelope } from "../envelope/envelope.ts";
import { answererItem, callerItem, reply } from "../envelope/follow.ts";
import { systemRuntime } from "../runtime/runtime.ts";
import { HELLO } from "./hello.ts";
import { memory } from "./memory.ts";
import type { ChannelOptions } from "./over-channel.ts";
import type { Connection } from "./transport.ts";

const source = "/test";

/** A pair over memory: what the listener answers, and what each frame looked like. */
async function pair(handler: Handler, options: Partial<ChannelOptions> = {}, answer?: Handler) {
  const frames: { text: string; from: string }[] = [];
  const wire = memory({ ...options, tap: (text, from) => void frames.push({ text, from }) });
  const listener = await wire.listen(new URL("memory://"), bare(handler));
  const connection = await wire.connect(listener.url, answer ? { handler: answer } : {});
  const close = async () => {
    await connection.close();
    await listener.close();
  };
  return { connection, listener, frames, close, [Symbol.asyncDispose]: close };
}

/** What is no agent does not say who it is. */
function bare(handler: Handler): Handler {
  return (call) => {
    if (call.message.type === HELLO) throw new ParleyError("unimplemented", "no agent");
    return handler(call);
  };
}

function open(
  connection: Connection,
  kind: CallKind,
  data?: unknown,
  extra: { input?: AsyncIterable<Envelope>; timeoutMs?: number } = {},
) {
  const message = createEnvelope({ kind, type: "test.any.v1", source, data });
  const deadline = extra.timeoutMs === undefined ? undefined : systemRuntime.now() + extra.timeoutMs;
  const call = createCall({ kind, message, input: extra.input, deadline });
  return { call, reply: connection.call(call) };
}

const echo: Handler = ({ message }) => ({ message: reply(message, source, message.data) });

/** Answers streams with the numbers from 1, as many as the data says; says when the reader has left. */
function counting(onItem?: (n: number) => void, onLeft?: () => void): Handler {
  return ({ message }) => {
    async function* items() {
      try {
        for (let n = 1; n <= Number(message.data); n++) {
          onItem?.(n);
          yield answererItem(message, source, n, n);
        }
      } finally {
        onLeft?.();
      }
    }
    return { output: items() };
  };
}

async function dataOf({ output }: Reply): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of output ?? []) all.push(item.data);
  return all;
}

async function* numbers(opener: Envelope, count: number) {
  for (let n = 1; n <= count; n++) yield callerItem(opener, source, n, n);
}

const settled = (turns = 20) =>
  new Promise<void>((resolve) => {
    const next = (left: number) => (left === 0 ? resolve() : setImmediate(next, left - 1));
    next(turns);
  });

describe("options that no connection could have", () => {
  it.each([{ heartbeatMs: 0 }, { heartbeatMs: -1 }, { helloTimeoutMs: Number.NaN }, { maxQueuedChars: 0 }])(
    "%j are refused by who listens, before anybody comes",
    async (options) => {
      await expect(memory(options).listen(new URL("memory://"), () => ({}))).rejects.toMatchObject({
        code: "invalid_argument",
        outcome: "not-sent",
      });
    },
  );
});

describe("requests", () => {
  it("get the reply to their own call, whatever the order of the answers", async () => {
    const answers: (() => void)[] = [];
    const handler: Handler = ({ message }) =>
      new Promise((resolve) => answers.push(() => resolve({ message: reply(message, source, message.data) })));
    await using two = await pair(handler);
    const calls = Array.from({ length: 100 }, (_, n) => open(two.connection, "request", n).reply);
    while (answers.length < 100) await settled(1);
    for (const answer of answers.reverse()) answer();
    expect((await Promise.all(calls)).map(({ message }) => message?.data)).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
  });

  it("that run together leave in few writes but one frame each", async () => {
    await using two = await pair(echo);
    const before = two.frames.length;
    await Promise.all(Array.from({ length: 10 }, (_, n) => open(two.connection, "request", n).reply));
    expect(two.frames.length - before).toBe(20);
  });

  it("fail with the handler's error, code, outcome and details intact", async () => {
    await using two = await pair(() => {
      throw new ParleyError("aborted", "try later", { outcome: "not-sent", retryAfterMs: 50, details: { at: 3 } });
    });
    const error = await open(two.connection, "request").reply.catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ParleyError);
    expect(error).toMatchObject({
      code: "aborted",
      message: "try later",
      outcome: "not-sent",
      retryAfterMs: 50,
      details: { at: 3 },
    });
  });

  it("fail with internal and without the text when the handler throws anything else", async () => {
    await using two = await pair(() => {
      throw new Error("secret path /etc/x");
    });
    const error = await open(two.connection, "request").reply.catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "internal" });
    expect(two.frames.map(({ text }) => text).join()).not.toContain("secret");
  });

  it("fail with internal when the handler's answer cannot be sent, and the handler's side is told why", async () => {
    const told: LogEntry[] = [];
    const handler = bare(({ message }) => ({ message: reply(message, source, { at: 1n }) }));
    const wire = memory();
    const listener = await wire.listen(new URL("memory://"), handler, { log: (entry) => told.push(entry) });
    const connection = await wire.connect(listener.url);
    await expect(open(connection, "request").reply).rejects.toMatchObject({ code: "internal", outcome: "rejected" });
    expect(told).toMatchObject([
      { event: "handler-failed", error: { cause: { message: expect.stringContaining("bigint") } } },
    ]);
    await connection.close();
    await listener.close();
  });

  it("settle in the turn in which they are aborted, and the handler hears of it", async () => {
    let reason: ParleyError | undefined;
    await using two = await pair(
      (call) => new Promise(() => call.onAbort({ callAborted: (error) => (reason = error) })),
    );
    const { call, reply: pending } = open(two.connection, "request");
    await settled();
    let settledWith: unknown;
    pending.catch((error) => (settledWith = error));
    call.abort(new ParleyError("cancelled", "enough"));
    await Promise.resolve();
    expect(settledWith).toMatchObject({ code: "cancelled" });
    await settled();
    expect(reason).toMatchObject({ code: "cancelled" });
    expect(two.listener.stats().openCalls).toBe(0);
  });

  it("past their deadline fail on both sides, with that code", async () => {
    let reason: ParleyError | undefined;
    await using two = await pair(
      (call) => new Promise(() => call.onAbort({ callAborted: (error) => (reason = error) })),
    );
    const start = performance.now();
    await expect(open(two.connection, "request", 1, { timeoutMs: 40 }).reply).rejects.toMatchObject({
      code: "deadline_exceeded",
      outcome: "unknown",
    });
    expect(performance.now() - start).toBeGreaterThanOrEqual(40);
    await settled();
    expect(reason?.code).toBe("deadline_exceeded");
  });

  it("already aborted or expired write nothing", async () => {
    await using two = await pair(echo);
    const before = two.frames.length;
    const message = createEnvelope({ kind: "request", type: "test.any.v1", source });
    const aborted = createCall({ kind: "request", message });
    aborted.abort(new ParleyError("cancelled", "no"));
    await expect(two.connection.call(aborted)).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent" });
    const expired = createCall({ kind: "request", message, deadline: systemRuntime.now() - 1 });
    await expect(two.connection.call(expired)).rejects.toMatchObject({
      code: "deadline_exceeded",
      outcome: "not-sent",
    });
    await settled();
    expect(two.frames.length).toBe(before);
  });

  it("over the peer's limits fail before anything is sent", async () => {
    const limits = { maxMessageBytes: 70_000, maxCalls: 2, windowItems: 4, windowBytes: 1024 };
    await using two = await pair((call) => new Promise((_, reject) => call.onAbort({ callAborted: reject })), {
      limits,
    });
    await expect(open(two.connection, "request", "x".repeat(70_000)).reply).rejects.toMatchObject({
      code: "resource_exhausted",
      outcome: "not-sent",
    });
    const held = [open(two.connection, "request"), open(two.connection, "request")];
    await expect(open(two.connection, "request").reply).rejects.toMatchObject({
      code: "resource_exhausted",
      outcome: "not-sent",
    });
    for (const { call, reply: pending } of held) {
      call.abort(new ParleyError("cancelled", "done"));
      await expect(pending).rejects.toMatchObject({ code: "cancelled" });
    }
    await settled();
    expect(two.connection.stats().openCalls).toBe(0);
  });

  it("go from the listening side to the one that dialled", async () => {
    const back: Handler = async (call) => {
      const message = createEnvelope({ kind: "request", type: "test.back.v1", source, data: "ping" });
      const answer = await call.context.peer?.invoke?.(createCall({ kind: "request", message }));
      return { message: reply(call.message, source, answer?.message?.data) };
    };
    await using two = await pair(back, {}, ({ message }) => ({
      message: reply(message, source, `${message.data} pong`),
    }));
    expect((await open(two.connection, "request").reply).message?.data).toBe("ping pong");
  });
});

describe("streams", () => {
  it("keep order and end once, whatever their length", async () => {
    await using two = await pair(counting());
    for (const length of [0, 1, 2, 33, 1000]) {
      expect(await dataOf(await open(two.connection, "server-stream", length).reply)).toEqual(
        Array.from({ length }, (_, n) => n + 1),
      );
    }
  });

  it("carry items that are ready together in one event, and each comes out as it would have alone", async () => {
    await using two = await pair(counting());
    const { output } = await open(two.connection, "server-stream", 100).reply;
    const ids: string[] = [];
    for await (const item of output ?? []) ids.push(`${item.id} ${item.seq}`);
    const items = two.frames.map(({ text }) => decode(text)).filter(({ kind }) => kind === "item");
    expect(items.length).toBeLessThan(20);
    const opener = items[0]?.id.split(".")[0];
    expect(ids).toEqual(Array.from({ length: 100 }, (_, n) => `${opener}.s${n + 1} ${n + 1}`));
  });

  it("deliver what came before an error, then the error", async () => {
    await using two = await pair(({ message }) => {
      async function* items() {
        for (let n = 1; n <= 3; n++) yield answererItem(message, source, n, n);
        throw new ParleyError("out_of_range", "no more");
      }
      return { output: items() };
    });
    const { output } = await open(two.connection, "server-stream").reply;
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const item of output ?? []) seen.push(item.data);
    })();
    await expect(reading).rejects.toMatchObject({ code: "out_of_range" });
    expect(seen).toEqual([1, 2, 3]);
  });

  it("refused by the handler fail before any item", async () => {
    await using two = await pair(() => Promise.reject(new ParleyError("not_found", "none")));
    await expect(open(two.connection, "server-stream").reply).rejects.toMatchObject({ code: "not_found" });
  });

  it("whose reader stalls stop at the window, and delay nobody else", async () => {
    const limits = { maxMessageBytes: 1_000_000, maxCalls: 100, windowItems: 8, windowBytes: 1_000_000 };
    let produced = 0;
    const counts = counting((n) => (produced = n));
    await using two = await pair((call) => (call.kind === "request" ? echo(call) : counts(call)), { limits });
    const { output } = await open(two.connection, "server-stream", 1000).reply;
    await settled();
    expect(produced).toBe(8);
    expect((await open(two.connection, "request", "still here").reply).message?.data).toBe("still here");
    expect(await dataOf({ output })).toHaveLength(1000);
  });

  it("are held back by bytes as well as by items", async () => {
    const limits = { maxMessageBytes: 1_000_000, maxCalls: 100, windowItems: 1000, windowBytes: 10_000 };
    let produced = 0;
    await using two = await pair(
      ({ message }) => {
        async function* items() {
          for (let n = 1; n <= 100; n++) {
            produced = n;
            yield answererItem(message, source, n, "x".repeat(3_000));
          }
        }
        return { output: items() };
      },
      { limits },
    );
    const { output } = await open(two.connection, "server-stream").reply;
    await settled();
    expect(produced).toBeLessThan(8);
    expect(await dataOf({ output })).toHaveLength(100);
  });

  it.each([
    ["long in UTF-8", 600, () => "漢".repeat(1_000)],
    ["of any length", 600, (n: number) => "x".repeat((n * 7_919) % 9_000)],
    ["longer than the window", 20, () => "x".repeat(300_000)],
  ])("never go beyond their credit: items %s", async (_what, count, data) => {
    await using two = await pair(({ message }) => {
      async function* items() {
        for (let n = 1; n <= count; n++) yield answererItem(message, source, n, data(n));
      }
      return { output: items() };
    });
    expect(await dataOf(await open(two.connection, "server-stream").reply)).toHaveLength(count);
  });

  it("leave before what is sent after their items", async () => {
    await using two = await pair(async (call) => {
      for await (const _ of call.input ?? []);
      return { message: reply(call.message, source) };
    });
    const message = createEnvelope({ kind: "client-stream", type: "test.any.v1", source });
    async function* items() {
      yield callerItem(message, source, 1, 1);
      await open(two.connection, "notify").reply;
    }
    await two.connection.call(createCall({ kind: "client-stream", message, input: items() }));
    const sent = two.frames.filter(({ from }) => from === "dialler").map(({ text }) => decode(text).kind);
    expect(sent).toEqual(["request", "client-stream", "item", "notify", "end"]);
  });

  it("of a handler that keeps no rules end the call, and nothing else", async () => {
    const broken: unknown[] = [
      { output: [1] },
      { output: { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("no")), return: () => 1 }) } },
      { message: 7n },
    ];
    await using two = await pair(async (call) => (call.message.data === "echo" ? echo(call) : (broken.pop() as Reply)));
    for (const kind of ["request", "server-stream", "server-stream"] as const) {
      const outcome = open(two.connection, kind).reply.then(dataOf);
      await expect(outcome).rejects.toMatchObject({ code: "internal" });
    }
    expect((await open(two.connection, "request", "echo").reply).message?.data).toBe("echo");
    expect(two.listener.stats().openCalls).toBe(0);
  });

  it("end at the producer when the reader breaks off", async () => {
    const left = Promise.withResolvers<void>();
    await using two = await pair(counting(undefined, () => left.resolve()));
    const { output } = await open(two.connection, "server-stream", 1_000_000).reply;
    for await (const item of output ?? []) if (item.data === 3) break;
    await left.promise;
    await settled();
    expect([two.connection.stats().openCalls, two.listener.stats().openCalls]).toEqual([0, 0]);
  });

  it("up: a reply before the end stops the input", async () => {
    let left = false;
    await using two = await pair(async (call) => {
      let sum = 0;
      for await (const { data } of call.input ?? []) {
        sum += Number(data);
        if (data === 10) break;
      }
      return { message: reply(call.message, source, sum) };
    });
    async function* endless() {
      try {
        for (let n = 1; ; n++) yield { ...callerItem(message, source, n, n) };
      } finally {
        left = true;
      }
    }
    const message = createEnvelope({ kind: "client-stream", type: "test.any.v1", source });
    const { message: answer } = await two.connection.call(
      createCall({ kind: "client-stream", message, input: endless() }),
    );
    expect(answer?.data).toBe(55);
    await settled();
    expect(left).toBe(true);
    expect(two.listener.stats().openCalls).toBe(0);
  });

  it("up: an abort is an error for the handler, not an end", async () => {
    const ended = Promise.withResolvers<unknown>();
    await using two = await pair(async (call) => {
      try {
        for await (const _ of call.input ?? []);
        ended.resolve("end");
      } catch (error) {
        ended.resolve(error);
      }
      return { message: reply(call.message, source) };
    });
    const message = createEnvelope({ kind: "client-stream", type: "test.any.v1", source });
    async function* stuck() {
      yield* numbers(message, 3);
      await new Promise(() => {});
    }
    const call = createCall({ kind: "client-stream", message, input: stuck() });
    const pending = two.connection.call(call);
    await settled();
    call.abort(new ParleyError("cancelled", "enough"));
    await expect(pending).rejects.toMatchObject({ code: "cancelled" });
    expect(await ended.promise).toMatchObject({ code: "cancelled" });
  });

  it("both ways run apart: one direction ends and the other goes on", async () => {
    await using two = await pair((call) => {
      async function* items() {
        let seen = 0;
        for await (const _ of call.input ?? []) seen++;
        for (let n = 1; n <= 100; n++) yield answererItem(call.message, source, n, seen);
      }
      return { output: items() };
    });
    const message = createEnvelope({ kind: "bidi-stream", type: "test.any.v1", source });
    const call = createCall({ kind: "bidi-stream", message, input: numbers(message, 50) });
    expect(await dataOf(await two.connection.call(call))).toEqual(Array.from({ length: 100 }, () => 50));
  });

  it("cancelled at random leave nothing open", async () => {
    await using two = await pair(async (call) => {
      if (call.kind === "request") await settled(Math.floor(Math.random() * 4));
      return call.kind === "request" ? echo(call) : counting()(call);
    });
    const one = async (n: number) => {
      const { call, reply: pending } = open(two.connection, n % 2 ? "request" : "server-stream", 300);
      const reading = pending.then(dataOf);
      reading.catch(() => {});
      await settled(Math.floor(Math.random() * 6));
      call.abort(new ParleyError("cancelled", "random"));
      await reading.catch(() => {});
    };
    await Promise.all(Array.from({ length: 1000 }, (_, n) => one(n)));
    await two.connection.ping();
    await settled();
    expect([two.connection.stats().openCalls, two.listener.stats().openCalls]).toEqual([0, 0]);
  });
});

describe("a connection", () => {
  it("that closes lets calls under way end, and refuses new ones", async () => {
    const gate = Promise.withResolvers<void>();
    const two = await pair(async (call) => {
      await gate.promise;
      return echo(call);
    });
    const { reply: pending } = open(two.connection, "request", "late");
    await settled();
    const closing = two.connection.close();
    await expect(open(two.connection, "request").reply).rejects.toMatchObject({
      code: "unavailable",
      outcome: "not-sent",
    });
    gate.resolve();
    expect((await pending).message?.data).toBe("late");
    await closing;
    expect(await two.connection.closed).toBeUndefined();
    await two.close();
  });

  it("that closes does not wait beyond its grace", async () => {
    const two = await pair(() => new Promise(() => {}));
    const { reply: pending } = open(two.connection, "request");
    const failed = expect(pending).rejects.toMatchObject({ code: "unavailable", outcome: "unknown" });
    await settled();
    const start = performance.now();
    await Promise.all([two.connection.close({ graceMs: 30 }), two.connection.close({ graceMs: 30 }), failed]);
    expect(performance.now() - start).toBeLessThan(3_000);
    await two.close();
  });

  it("that closes tells the handlers of its subscriptions", async () => {
    let reason: ParleyError | undefined;
    const two = await pair((call) => {
      call.onAbort({
        callAborted: (error) => {
          reason = error;
        },
      });
      return { output: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) } };
    });
    const { output } = await open(two.connection, "subscribe").reply;
    const reading = expect(dataOf({ output })).rejects.toMatchObject({ code: "unavailable" });
    await two.listener.close();
    await reading;
    expect(reason?.code).toBe("unavailable");
    await two.close();
  });

  it("that closes ends subscriptions at once", async () => {
    const two = await pair(() => ({
      output: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) },
    }));
    const { output } = await open(two.connection, "subscribe").reply;
    const reading = expect(dataOf({ output })).rejects.toMatchObject({ code: "unavailable" });
    const start = performance.now();
    await two.listener.close();
    await reading;
    expect(performance.now() - start).toBeLessThan(3_000);
    await two.close();
  });

  it("measures its round trip", async () => {
    await using two = await pair(echo);
    expect((await two.connection.ping()).roundTripMs).toBeGreaterThan(0);
  });

  it("that has ended cannot be asked for a sign of life", async () => {
    const two = await pair(echo);
    await two.close();
    await expect(two.connection.ping()).rejects.toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });
});

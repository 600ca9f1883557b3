import { describe, expect, it, test } from "vitest";
import { z } from "zod";
import { failureOf, itemsOf } from "../../../test/settling.ts";
import { agent } from "../../agent/agent.ts";
import { connect } from "../../agent/connect.ts";
import { contract } from "../../agent/contract.ts";
import { bidiStream, clientStream, notify, request, serverStream } from "../../agent/operation.ts";
import { serve } from "../../agent/serve.ts";
import { topic } from "../../agent/topic.ts";
import { type Call, createCall } from "../../call/call.ts";
import { ParleyError, TransportError } from "../../call/error.ts";
import type { Handler, Interceptor, Invoke } from "../../call/interceptor.ts";
import { createEnvelope } from "../../envelope/create.ts";
import { decode } from "../../envelope/decode.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { reply } from "../../envelope/follow.ts";
import { createRuntime, type Runtime, systemRuntime } from "../../runtime/runtime.ts";
import { HELLO } from "../hello.ts";
import { type MemoryOptions, type MemorySide, type MemoryWire, memory } from "../memory.ts";
import type { ReconnectOptions } from "../reconnect/options.ts";
import type { StateChange } from "../reconnect/reconnecting-connection.ts";
import type { Connection, Transport } from "../transport.ts";
import type { ResumeOptions } from "./terms.ts";

const works = contract("works", {
  echo: request({ input: z.string(), output: z.string() }),
  held: request({ input: z.string(), output: z.string() }),
  told: notify({ input: z.string() }),
  count: serverStream({ input: z.number(), item: z.number() }),
  sum: clientStream({ item: z.number(), output: z.number() }),
  twice: bidiStream({ inputItem: z.number(), outputItem: z.number() }),
  news: topic({ path: "news/{desk}", data: z.string() }),
});

interface StageOptions {
  readonly reconnect?: ReconnectOptions;
  readonly resume?: ResumeOptions;
  readonly connectTimeoutMs?: number;
  readonly runtime?: Runtime;
  /** Keeps frames back: `false` loses them. */
  readonly passes?: (message: Envelope, from: MemorySide) => boolean;
  /** Answers calls from the server. */
  readonly handler?: Handler;
  /** Around the server's calls. */
  readonly serverUse?: Interceptor;
  /** What the server runs on. */
  readonly serverRuntime?: Runtime;
  readonly limits?: Pick<MemoryOptions, "maxQueuedChars">;
}

/** A server that notes what it does, and a wire to it that can be cut, lose frames and refuse to be dialled. */
async function stage(options: StageOptions = {}) {
  const { reconnect, resume, connectTimeoutMs, runtime, passes, handler, limits, serverUse, serverRuntime } = options;
  const ran: string[] = [];
  const aborted: string[] = [];
  let release = Promise.withResolvers<void>();
  const worker = agent(works, {
    echo: (text) => {
      ran.push(text);
      return text;
    },
    held: async (text, call) => {
      ran.push(text);
      call.signal.addEventListener("abort", () => aborted.push(`${text} ${call.signal.reason.code}`));
      await release.promise;
      return text;
    },
    told: (text) => void ran.push(text),
    async *count(upTo) {
      for (let n = 1; n <= upTo; n++) yield n;
    },
    sum: async (numbers) => (await itemsOf(numbers)).reduce((sum, number) => sum + number, 0),
    async *twice(numbers) {
      for await (const number of numbers) yield number * 2;
    },
  });
  const peers: Invoke[] = [];
  const server = await serve(worker, "memory://", {
    transports: [memory({ resume, ...limits })],
    runtime: serverRuntime,
    use: [
      (next) => (call) => {
        if (call.context.peer?.invoke) peers.push(call.context.peer.invoke);
        return next(call);
      },
      ...(serverUse ? [serverUse] : []),
    ],
  });
  const wires = new Set<MemoryWire>();
  const written: Envelope[] = [];
  const inner = memory({
    resume,
    tap(frame, from, wire) {
      wires.add(wire);
      const message = decode(frame);
      if (from === "dialler") written.push(message);
      return passes?.(message, from) ?? true;
    },
  });
  let refusal: ParleyError | undefined;
  let first: Connection | undefined;
  let dials = 0;
  const transport: Transport = {
    ...inner,
    async connect(url, options) {
      dials++;
      if (refusal) throw refusal;
      const connection = await inner.connect(url, options);
      first ??= connection;
      return connection;
    },
  };
  const remote = await connect(works, server.urls[0] as URL, {
    transports: [transport],
    reconnect: { baseMs: 1, maxMs: 8, ...reconnect },
    agent: handler,
    connectTimeoutMs,
    runtime,
  });
  const changes: StateChange[] = [];
  remote.connection.onState((change) => changes.push(change));
  return {
    server,
    remote,
    /** Resolves when the first session is over. */
    get lost() {
      return first?.closed;
    },
    /** Calls the client, as whoever served its last call can. */
    callBack: (call: Call) => (peers.at(-1) as Invoke)(call),
    /** A frame that the listener has not written arrives as if it had. */
    forge(message: object) {
      for (const wire of wires) wire.deliver(JSON.stringify(message), "listener");
    },
    ran,
    aborted,
    written,
    changes,
    get dials() {
      return dials;
    },
    release() {
      release.resolve();
      release = Promise.withResolvers();
    },
    refuse: (error?: ParleyError) => {
      refusal = error;
    },
    cut() {
      for (const wire of wires) wire.cut(new Error("cut"));
      wires.clear();
    },
    reached: (state: StateChange["state"]) =>
      new Promise<void>((resolve) => {
        const off = remote.connection.onState((change) => {
          if (change.state !== state) return;
          off();
          resolve();
        });
      }),
    async [Symbol.asyncDispose]() {
      release.resolve();
      await remote.close({ graceMs: 0 });
      await server.close({ graceMs: 0 });
    },
  };
}

const down = new TransportError("unavailable", "nobody there", { outcome: "not-sent" });

test("a request that was cut gets its true answer, and ran once", async () => {
  await using on = await stage();
  const pending = on.remote.held("a");
  await on.remote.echo("before");
  on.cut();
  await on.reached("open");
  on.release();
  expect(await pending).toBe("a");
  expect(on.ran).toEqual(["a", "before"]);
  expect(on.changes.map(({ state }) => state)).toEqual(["reconnecting", "open"]);
});

test("an answer that was lost on its way is missed as soon as the next comes, and both come by the next channel", async () => {
  let lost = 0;
  await using on = await stage({
    passes: ({ data }, from) => from === "dialler" || data !== "a" || lost++ > 0,
  });
  expect(await Promise.all([on.remote.echo("a"), on.remote.echo("b")])).toEqual(["a", "b"]);
  expect([on.ran, on.dials]).toEqual([["a", "b"], 2]);
});

test("streams in every direction go on without a gap and without a double, however often they are cut", async () => {
  await using on = await stage();
  async function* numbers() {
    for (let n = 1; n <= 400; n++) {
      if (n % 50 === 0) {
        on.cut();
        await on.reached("open");
      }
      yield n;
    }
  }
  const counted = itemsOf(on.remote.count(3_000));
  const doubled = itemsOf(on.remote.twice(numbers()));
  const sum = on.remote.sum(numbers());
  expect(await counted).toEqual(Array.from({ length: 3_000 }, (_, at) => at + 1));
  expect(await doubled).toEqual(Array.from({ length: 400 }, (_, at) => 2 * (at + 1)));
  expect(await sum).toBe((400 * 401) / 2);
  expect(on.dials).toBeGreaterThan(5);
});

test("a notification resolves when it is taken over, and is handed over once though its acknowledgement is lost", async () => {
  let lose = false;
  await using on = await stage({ passes: ({ kind }, from) => !(lose && from === "listener" && kind === "ack") });
  lose = true;
  let resolved = false;
  const told = on.remote.told("a").then(() => {
    resolved = true;
  });
  expect(await on.remote.echo("b")).toBe("b");
  expect([on.ran, resolved]).toEqual([["a", "b"], false]);
  lose = false;
  on.cut();
  await told;
  await on.remote.echo("c");
  expect(on.ran).toEqual(["a", "b", "c"]);
});

test("a notification that is refused after a while was not taken over, nor is one that is cut meanwhile", async () => {
  const verdict = Promise.withResolvers<void>();
  let acknowledged = 0;
  await using on = await stage({
    // No time is too long there.
    serverRuntime: createRuntime({
      ...systemRuntime,
      setTimer: (run, delayMs) => (delayMs <= 50 ? () => {} : systemRuntime.setTimer(run, delayMs)),
    }),
    passes({ kind, ack = 0 }, from) {
      if (from === "listener" && kind === "ack") acknowledged = ack;
      return true;
    },
    serverUse: (next) => async (call) => {
      if (call.kind !== "notify" || call.message.data !== "refused") return next(call);
      await verdict.promise;
      throw new ParleyError("permission_denied", "you may not", { outcome: "rejected" });
    },
  });
  const refused = failureOf(on.remote.told("refused"));
  await on.remote.echo("behind it");
  on.cut();
  await on.reached("open");
  expect(acknowledged).toBe(0);
  verdict.resolve();
  expect(await refused).toMatchObject({ code: "permission_denied", outcome: "rejected" });
  await on.remote.told("taken");
  expect(on.ran).toEqual(["behind it", "taken"]);
});

test("a notification about which the peer thinks for long is taken over meanwhile", async () => {
  const verdict = Promise.withResolvers<void>();
  await using on = await stage({
    serverUse: (next) => async (call) => {
      if (call.kind === "notify") await verdict.promise;
      return next(call);
    },
  });
  await on.remote.told("a");
  expect(on.ran).toEqual([]);
  verdict.resolve();
  await expect.poll(() => on.ran).toEqual(["a"]);
});

test("a subscription goes on without a gap", async () => {
  await using on = await stage();
  const news = await on.remote.news.subscribe({}, { onGap: () => expect.unreachable() });
  const reading = news[Symbol.asyncIterator]();
  on.refuse(down);
  on.cut();
  await on.reached("reconnecting");
  await on.server.topics.news.publish({ desk: "a" }, "meanwhile");
  on.refuse();
  expect((await reading.next()).value).toMatchObject({ data: "meanwhile" });
});

test("a call that is cancelled while the connection is away is aborted at the peer, and settles at once", async () => {
  await using on = await stage();
  const controller = new AbortController();
  const pending = failureOf(on.remote.held("a", { signal: controller.signal }));
  await on.remote.echo("before");
  on.refuse(down);
  on.cut();
  await on.reached("reconnecting");
  controller.abort();
  expect(await pending).toMatchObject({ code: "cancelled", outcome: "unknown" });
  expect(on.aborted).toEqual([]);
  on.refuse();
  await on.remote.echo("after");
  expect(on.aborted).toEqual(["a cancelled"]);
});

test("an opener that never arrived is skipped when its call is over, and says the time that is left when it is not", async () => {
  let lose = false;
  await using on = await stage({ passes: ({ kind }, from) => !(lose && from === "dialler" && kind === "request") });
  on.refuse(down);
  lose = true;
  const controller = new AbortController();
  const given = failureOf(on.remote.echo("given up", { signal: controller.signal }));
  const kept = on.remote.echo("kept", { timeoutMs: 5_000 });
  await new Promise((resolve) => setImmediate(resolve));
  on.cut();
  lose = false;
  await on.reached("reconnecting");
  controller.abort();
  await given;
  await new Promise((resolve) => setTimeout(resolve, 5));
  on.refuse();
  expect(await kept).toBe("kept");
  expect(on.ran).toEqual(["kept"]);
  const [first, again] = on.written.filter(({ data }) => data === "kept");
  expect(again?.sn).toBe(first?.sn);
  expect(again?.timeoutms).toBeLessThan(first?.timeoutms as number);
  const skipped = on.written.find(({ kind }) => kind === "skip");
  expect(skipped?.sn).toBe(on.written.find(({ data }) => data === "given up")?.sn);
});

test("a notification whose time was up before it could be sent again is not taken for handed over", async () => {
  let lose = true;
  let skipped = 0;
  await using on = await stage({
    runtime: createRuntime({ ...systemRuntime, now: () => systemRuntime.now() + skipped }),
    passes: ({ kind }) => !(lose && kind === "notify"),
  });
  const told = failureOf(on.remote.told("late", { timeoutMs: 100 }));
  await new Promise((resolve) => setImmediate(resolve));
  lose = false;
  // The timer that says so runs later.
  skipped = 1_000;
  on.cut();
  await on.reached("open");
  expect(await told).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
  expect(on.written.map(({ kind }) => kind)).toContain("skip");
  expect(on.ran).toEqual([]);
});

test("a session that nobody resumes in time is lost: streams end with data_loss, requests unknown, the peer's handlers are told", async () => {
  await using on = await stage({ resume: { windowMs: 20 } });
  const held = failureOf(on.remote.held("a"));
  const stream = on.remote.twice(
    (async function* () {
      yield 1;
      await new Promise(() => {});
    })(),
  );
  const items = stream[Symbol.asyncIterator]();
  expect((await items.next()).value).toBe(2);
  on.refuse(down);
  on.cut();
  expect(await failureOf(items.next())).toMatchObject({ code: "data_loss", outcome: "unknown" });
  expect(await held).toMatchObject({ code: "unavailable", outcome: "unknown" });
  await expect.poll(() => on.aborted).toEqual(["a unavailable"]);
  on.refuse();
  expect(await on.remote.echo("after")).toBe("after");
});

test("after the loss of a session subscriptions are made again, and the gap is told", async () => {
  await using on = await stage({ resume: { windowMs: 10 } });
  const gap = Promise.withResolvers<ParleyError>();
  const news = await on.remote.news.subscribe({}, { onGap: gap.resolve });
  const reading = news[Symbol.asyncIterator]().next();
  on.refuse(down);
  on.cut();
  await on.lost;
  on.refuse();
  expect(await gap.promise).toMatchObject({ code: "data_loss" });
  await on.server.topics.news.publish({ desk: "a" }, "again");
  expect((await reading).value).toMatchObject({ data: "again" });
});

test("a session is resumed although the first answer to the hello that was to resume it was lost", async () => {
  let greetings = 0;
  await using on = await stage({
    connectTimeoutMs: 100,
    passes: ({ type, kind }) => type !== "parley.hello.v1" || kind !== "reply" || ++greetings !== 2,
  });
  const pending = on.remote.held("a");
  await on.remote.echo("before");
  on.cut();
  await on.reached("open");
  on.release();
  expect([await pending, on.ran, on.dials]).toEqual(["a", ["a", "before"], 3]);
});

test("an outage longer than any retry ends what waits when the connection is given up", async () => {
  await using on = await stage({ reconnect: { baseMs: 1, maxMs: 2, maxAttempts: 3 } });
  const held = failureOf(on.remote.held("a"));
  await on.remote.echo("before");
  on.refuse(down);
  on.cut();
  expect(await held).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await on.remote.connection.closed).toMatchObject({ message: "nobody there" });
});

test("closing while away comes back once to say goodbye, so that the peer gives its calls up", async () => {
  await using on = await stage({ reconnect: { baseMs: 60_000, maxMs: 60_000 } });
  const news = await on.remote.news.subscribe({}, { onGap: () => expect.unreachable() });
  const reading = failureOf(news[Symbol.asyncIterator]().next());
  on.cut();
  await on.reached("reconnecting");
  await on.remote.close();
  expect(await reading).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(on.dials).toBe(2);
  expect(on.written.map(({ kind }) => kind)).toContain("bye");
  expect(await on.remote.connection.closed).toBeUndefined();
  expect(on.server.stats().openCalls).toBe(0);
});

test("closing while nobody is there does not wait for the grace", async () => {
  await using on = await stage({ reconnect: { baseMs: 60_000, maxMs: 60_000 } });
  const held = failureOf(on.remote.held("a"));
  await on.remote.echo("before");
  on.refuse(down);
  on.cut();
  await on.reached("reconnecting");
  await on.remote.close({ graceMs: 60_000 });
  expect(await held).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

test("a full ring makes openers and items wait, and nothing else", async () => {
  let lose = false;
  await using on = await stage({
    resume: { messages: 8, ackEvery: 4 },
    passes: ({ kind, ack }, from) => !(lose && from === "listener" && kind === "ack") && !(lose && ack !== undefined),
  });
  lose = true;
  const echoes = Array.from({ length: 30 }, (_, at) => on.remote.echo(`${at}`));
  const sum = on.remote.sum(
    (async function* () {
      for (let n = 0; n < 100; n++) yield n;
    })(),
  );
  await expect.poll(() => on.ran.length).toBe(8);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(on.ran.length).toBe(8);
  lose = false;
  on.cut();
  expect(await Promise.all(echoes)).toEqual(Array.from({ length: 30 }, (_, at) => `${at}`));
  expect(await sum).toBe(4950);
});

test("a server that restarts knows no session: what was under way is lost, and what comes after goes through", async () => {
  await using on = await stage();
  const held = failureOf(on.remote.held("a"));
  await on.remote.echo("before");
  const [url] = on.server.urls as [URL];
  on.refuse(down);
  on.cut();
  await on.reached("reconnecting");
  on.release();
  await on.server.close({ graceMs: 0 });
  const worker = agent(works, {
    echo: (text) => `${text} by another`,
    held: () => "",
    told: () => {},
    async *count() {},
    sum: () => 0,
    async *twice() {},
  });
  await using _second = await serve(worker, url, { transports: [memory()] });
  on.refuse();
  expect(await held).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await on.remote.echo("after")).toBe("after by another");
});

test("a connection that is cut again and again begins anew with the first delay, if it went on meanwhile and only then", async () => {
  let lose = false;
  await using on = await stage({
    reconnect: { maxMs: 60_000 },
    passes: ({ sn }, from) => !(lose && from === "dialler" && sn !== undefined),
  });
  const attempts = () => on.changes.flatMap((change) => (change.state === "reconnecting" ? [change.attempt] : []));
  for (let n = 0; n < 4; n++) {
    await on.remote.echo("on it goes");
    on.cut();
    await on.reached("open");
  }
  expect(attempts()).toEqual([1, 1, 1, 1]);
  lose = true;
  const kept = on.remote.echo("kept");
  for (let n = 0; n < 4; n++) {
    on.cut();
    await on.reached("open");
  }
  expect(attempts().slice(4)).toEqual([2, 3, 4, 5]);
  lose = false;
  on.cut();
  expect(await kept).toBe("kept");
});

test("without a wish to resume nothing of a session is on the wire", async () => {
  await using on = await stage({ reconnect: { onCut: "settle" } });
  await on.remote.echo("a");
  const held = failureOf(on.remote.held("b"));
  await on.remote.echo("c");
  expect(on.written.some(({ sn, kind }) => sn !== undefined || kind === "ack")).toBe(false);
  on.cut();
  expect(await held).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

test("the server's calls to its client go on as well", async () => {
  const go = Promise.withResolvers<void>();
  await using on = await stage({
    handler: async ({ message }) => {
      await go.promise;
      return { message: reply(message, "/client", message.data) };
    },
  });
  await on.remote.echo("a");
  const message = createEnvelope({ kind: "request", type: "back.v1", source: "/server", data: 1 });
  const answer = on.callBack(createCall({ kind: "request", message }));
  await on.remote.echo("it is on its way");
  on.cut();
  await on.reached("open");
  go.resolve();
  expect((await answer).message?.data).toBe(1);
});

test("a connection whose session somebody else has taken loses it, and begins anew without it", async () => {
  await using on = await stage();
  const held = failureOf(on.remote.held("a"));
  const items = on.remote.twice(
    (async function* () {
      yield 1;
      await new Promise(() => {});
    })(),
  );
  const reading = items[Symbol.asyncIterator]();
  expect((await reading.next()).value).toBe(2);
  const data = { code: "aborted", outcome: "unknown", message: "taken" };
  const type = "parley.connection.v1";
  on.forge({ specversion: "1.0", parley: "1", id: "x.e", source: "/s", type, kind: "error", data });
  expect(await failureOf(reading.next())).toMatchObject({ code: "data_loss", outcome: "unknown" });
  expect(await held).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await on.remote.echo("after")).toBe("after");
  const hellos = on.written.filter(({ type: asked }) => asked === HELLO);
  expect(hellos.map(({ session }) => session)).toEqual([undefined, undefined]);
});

describe("of what was never written when a session is lost", () => {
  const type = "parley.connection.v1";
  const data = { code: "aborted", outcome: "unknown", message: "taken" };
  const taken = { specversion: "1.0", parley: "1", id: "x.e", source: "/s", type, kind: "error", data };

  /** A client whose first messages are lost on their way, so that calls after these wait for room. */
  async function stuck(options: StageOptions = {}) {
    let lose = false;
    const on = await stage({
      resume: { messages: 4, ackEvery: 2 },
      passes: (_, from) => !(lose && from === "dialler"),
      ...options,
    });
    lose = true;
    const gone = ["a", "b", "c", "d"].map((text) => failureOf(on.remote.echo(text)));
    await expect.poll(() => on.written.filter(({ kind }) => kind === "request").length).toBe(1 + gone.length);
    return Object.assign(on, {
      gone,
      /** Somebody else has the session; from then on nothing is lost. */
      lose() {
        on.forge(taken);
        lose = false;
      },
    });
  }

  it("all is made in the next one, in its order, before what is called since, with the time that is left", async () => {
    let skipped = 0;
    const runtime = createRuntime({ ...systemRuntime, now: () => systemRuntime.now() + skipped });
    await using on = await stuck({ runtime });
    const first = on.remote.echo("first", { timeoutMs: 60_000 });
    const sum = on.remote.sum(
      (async function* () {
        yield 1;
        yield 2;
      })(),
    );
    const second = on.remote.told("second");
    const third = on.remote.echo("third");
    skipped = 20_000;
    on.lose();
    const later = on.remote.echo("later");
    expect(await Promise.all([first, sum, second, third, later])).toEqual(["first", 3, undefined, "third", "later"]);
    expect(on.ran).toEqual(["first", "second", "third", "later"]);
    for (const error of await Promise.all(on.gone)) expect(error).toMatchObject({ outcome: "unknown" });
    expect(on.written.filter(({ data: text }) => text === "first")).toMatchObject([{ timeoutms: expect.any(Number) }]);
    expect(on.written.find(({ data: text }) => text === "first")?.timeoutms).toBeLessThanOrEqual(40_000);
  });

  it("a subscription is made once, and tells of no gap", async () => {
    await using on = await stuck();
    const subscribed = on.remote.news.subscribe({}, { onGap: () => expect.unreachable() });
    on.lose();
    const news = await subscribed;
    await on.server.topics.news.publish({ desk: "a" }, "one");
    await on.server.topics.news.publish({ desk: "a" }, "two");
    const reading = news[Symbol.asyncIterator]();
    expect([(await reading.next()).value?.data, (await reading.next()).value?.data]).toEqual(["one", "two"]);
    expect(on.written.filter(({ kind }) => kind === "subscribe")).toHaveLength(1);
  });

  it("so much waits as may, and the rest is refused", async () => {
    await using on = await stuck({ reconnect: { maxWaiting: 2 } });
    const kept = [on.remote.echo("1"), on.remote.echo("2")];
    const refused = failureOf(on.remote.echo("3"));
    on.lose();
    expect(await refused).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    expect(await Promise.all(kept)).toEqual(["1", "2"]);
  });

  it("nothing is made that is cancelled, or waits when the connection is given up", async () => {
    await using on = await stuck({ reconnect: { maxAttempts: 1 } });
    const controller = new AbortController();
    const cancelled = failureOf(on.remote.echo("cancelled", { signal: controller.signal }));
    const waiting = failureOf(on.remote.echo("waiting"));
    on.refuse(down);
    on.lose();
    controller.abort();
    expect(await cancelled).toMatchObject({ code: "cancelled" });
    expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(await on.remote.connection.closed).toMatchObject({ message: "nobody there" });
    expect(on.ran).toEqual([]);
  });

  it("a sign of life that was asked for is not moved", async () => {
    await using on = await stuck();
    const asked = failureOf(on.remote.connection.ping());
    on.lose();
    expect(await asked).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });
});

test("a peer that reads and never acknowledges is ended when what is kept for it exceeds the bounds", async () => {
  await using on = await stage({
    resume: { bytes: 1_000 },
    limits: { maxQueuedChars: 20_000 },
    passes: ({ kind }, from) => from === "listener" || kind !== "ack",
  });
  const large = "x".repeat(2_000);
  const asked = Array.from({ length: 20 }, () => on.remote.echo(large).catch(() => {}));
  await on.reached("reconnecting");
  expect(on.changes[0]?.error).toMatchObject({ code: "resource_exhausted" });
  await Promise.all(asked);
});

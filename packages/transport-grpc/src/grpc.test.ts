import { createServer, type Socket } from "node:net";
import {
  type Call,
  type CallKind,
  callKinds,
  type Handler,
  HELLO,
  manifestProblems,
  ParleyError,
  reply,
  TransportError,
  ValidationError,
} from "@parley/core/transport";
import { afterEach, describe, expect, test } from "vitest";
import { anyPort, call, collect, echo, failure, item, items, newCall, numbers, pair } from "../test/pair.ts";
import { type GrpcOptions, grpc } from "./index.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A TCP server that is no gRPC server. */
async function tcp(answer: (socket: Socket) => void): Promise<URL> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new URL(`grpc://127.0.0.1:${(server.address() as { port: number }).port}`);
}

describe.each<[string, GrpcOptions]>([
  ["over one stream", {}],
  ["natively", { channel: false }],
])("two Parleys %s", (mode, options) => {
  const native = mode === "natively";

  test("keep what the manifest says", () => {
    const { manifest } = grpc(options);
    expect(manifestProblems(manifest)).toEqual([]);
    expect(manifest.serverInitiated).toBe(!native);
    expect(Object.values(manifest.kinds).every((kind) => kind === "native")).toBe(true);
  });

  test.each<[CallKind, unknown, readonly unknown[] | undefined, unknown]>([
    ["request", { text: "Grüße 🎉" }, undefined, { text: "Grüße 🎉" }],
    ["server-stream", 3, undefined, [1, 2, 3]],
    ["client-stream", null, ["a", { b: 1 }, null], ["a", { b: 1 }, null]],
    ["bidi-stream", null, [1, 2, 3], [1, 2, 3]],
  ])("%s", async (kind, data, input, expected) => {
    await using both = await pair(echo, options);
    const answer = await call(both, kind, { data, ...(input ? { input: items(...input) } : {}) });
    expect(answer.message ? answer.message.data : await collect(answer.output)).toEqual(expected);
    expect(both.connection.stats().openCalls).toBe(0);
  });

  test("notify, publish and subscribe", async () => {
    const seen: Call[] = [];
    await using both = await pair((one) => {
      if (one.message.type !== HELLO) seen.push(one);
      return echo(one);
    }, options);
    await call(both, "notify", { data: 1 });
    await call(both, "publish", { data: 2, attributes: { subject: "a/b" } });
    const { output } = await call(both, "subscribe", { data: 2, attributes: { subject: "a/#" } });
    expect(await collect(output)).toEqual([1, 2]);
    expect(seen.map(({ kind, message }) => [kind, message.subject])).toEqual([
      ["notify", undefined],
      ["publish", "a/b"],
      ["subscribe", "a/#"],
    ]);
  });

  test("bytes and attributes arrive as they were", async () => {
    let seen: Call | undefined;
    await using both = await pair((one) => {
      if (one.message.type !== HELLO) seen = one;
      return echo(one);
    }, options);
    const data = Uint8Array.from([0, 255, 1, 2]);
    const attributes = {
      datacontenttype: "application/octet-stream",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "a=b",
      myextension: "kept",
      mynumber: -7,
      myflag: true,
    };
    const { message } = await call(both, "request", { data, attributes });
    expect(seen?.message).toMatchObject(attributes);
    expect(message?.data).toEqual(data);
    expect(seen?.context.peer).toMatchObject({
      transport: "grpc",
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    expect(seen?.context.foreign).toBe(false);
  });

  test.each([
    new ParleyError("not_found", "no such thing: Grüße %41 \n", { details: { a: [1] } }),
    new TransportError("resource_exhausted", "later", { retryAfterMs: 250 }),
    new ValidationError("wrong", [{ message: "must be text", path: ["a", 0] }]),
    new ParleyError("cancelled", "the handler's own cancellation"),
    new ParleyError("unavailable", "down below", { outcome: "unknown" }),
  ])("an error arrives whole: %s", async (error) => {
    await using both = await pair((one) => {
      if (one.message.type === HELLO) return echo(one);
      throw error;
    }, options);
    for (const kind of callKinds.filter((one) => one !== "notify" && one !== "publish")) {
      const input = kind.startsWith("client") || kind.startsWith("bidi") ? { input: items(1) } : {};
      const subject = kind === "subscribe" ? { attributes: { subject: "a" } } : {};
      const { code, message, outcome, details, retryAfterMs } = error;
      expect(await failure(call(both, kind, { ...input, ...subject }))).toMatchObject({
        code,
        message,
        outcome,
        ...(details ? { details } : {}),
        ...(retryAfterMs ? { retryAfterMs } : {}),
      });
    }
  });

  test("what a handler throws otherwise says nothing of itself", async () => {
    await using both = await pair((one) => {
      if (one.message.type === HELLO) return echo(one);
      throw new Error("the password is 123");
    }, options);
    const error = await failure(call(both, "request"));
    expect(error).toMatchObject({ code: "internal", outcome: "rejected" });
    expect(error.message).not.toContain("password");
  });

  test("a stream that fails gives its items first", async () => {
    await using both = await pair(
      (one) => ({
        output: (async function* () {
          yield* numbers(one, 3);
          throw new ParleyError("data_loss", "the tape is torn");
        })(),
      }),
      options,
    );
    const { output } = await call(both, "server-stream");
    const seen: unknown[] = [];
    const error = await failure(
      (async () => {
        for await (const { data } of output ?? []) seen.push(data);
      })(),
    );
    expect(seen).toEqual([1, 2, 3]);
    expect(error).toMatchObject({ code: "data_loss", message: "the tape is torn" });
  });

  test("leaving a stream early cancels the handler", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await using both = await pair((one) => {
      if (one.message.type === HELLO) return echo(one);
      one.onAbort({ callAborted: resolve });
      return { output: numbers(one, Number.POSITIVE_INFINITY) };
    }, options);
    const { output } = await call(both, "server-stream");
    for await (const { data } of output ?? []) if (data === 3) break;
    expect(await promise).toMatchObject({ code: "cancelled" });
  });

  test("a cancelled request reaches the handler, and is over at once", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    await using both = await pair((one) => {
      if (one.message.type === HELLO) return echo(one);
      one.onAbort({ callAborted: resolve });
      begin();
      return new Promise(() => {});
    }, options);
    const one = newCall("request");
    const answer = failure(both.connection.call(one));
    await begun;
    one.abort(new ParleyError("cancelled", "no longer wanted"));
    expect(await answer).toMatchObject({ code: "cancelled", message: "no longer wanted" });
    expect(await promise).toMatchObject({ code: "cancelled" });
    expect(both.connection.stats().openCalls).toBe(0);
  });

  test("a deadline ends the call on both sides, for the same reason", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await using both = await pair((one) => {
      if (one.message.type === HELLO) return echo(one);
      one.onAbort({ callAborted: resolve });
      return new Promise(() => {});
    }, options);
    expect(await failure(call(both, "request", { timeoutMs: 80 }))).toMatchObject({
      code: "deadline_exceeded",
      outcome: "unknown",
    });
    expect(await promise).toMatchObject({ code: "deadline_exceeded" });
  });

  test("a reader who stalls holds up its producer, and nobody else", async () => {
    let made = 0;
    await using both = await pair((one) => {
      if (one.kind !== "server-stream") return echo(one);
      return {
        output: (async function* () {
          for (; made < 200_000; ) yield item(one, ++made, "x".repeat(1_000));
        })(),
      };
    }, options);
    const { output } = await call(both, "server-stream");
    const stalled = output?.[Symbol.asyncIterator]();
    await stalled?.next();
    let before = -1;
    // Until it stands still for a whole round of requests.
    while (before !== made) {
      before = made;
      for (let n = 0; n < 50; n++) expect((await call(both, "request", { data: n })).message?.data).toBe(n);
    }
    const { windowBytes } = grpc(options).manifest.limits;
    expect(made * 1_000).toBeLessThan(windowBytes + 64 * 1024);
    await stalled?.return?.();
  });

  test("a producer in the client is held up by a handler who does not read", async () => {
    let made = 0;
    const { promise: go, resolve: read } = Promise.withResolvers<void>();
    await using both = await pair(async (one) => {
      if (one.kind !== "client-stream") return echo(one);
      await go;
      let count = 0;
      for await (const _ of one.input ?? []) count++;
      return { message: reply(one.message, "/agent", count) };
    }, options);
    const input = (async function* () {
      for (; made < 3_000; ) yield* items(`${++made}`.padEnd(1_000));
    })();
    const answer = call(both, "client-stream", { input });
    let before = -1;
    while (before !== made) {
      before = made;
      for (let n = 0; n < 50; n++) await call(both, "request", { data: n });
    }
    expect(made).toBeLessThan(3_000);
    read();
    expect((await answer).message?.data).toBe(3_000);
  });

  test("a message over the peer's limit is refused before it is sent, an answer over it by the peer", async () => {
    const limits = { maxMessageBytes: 70_000, maxCalls: 10, windowItems: 16, windowBytes: 64_000 };
    await using both = await pair(
      (one) => (one.message.data === "big" ? { message: reply(one.message, "/agent", "x".repeat(80_000)) } : echo(one)),
      { ...options, limits },
    );
    expect(await failure(call(both, "request", { data: "x".repeat(80_000) }))).toMatchObject({
      code: "resource_exhausted",
      outcome: "not-sent",
    });
    expect(await failure(call(both, "request", { data: "big" }))).toMatchObject({
      code: "resource_exhausted",
      outcome: "rejected",
    });
    expect((await call(both, "request", { data: "x".repeat(60_000) })).message?.data).toHaveLength(60_000);
  });

  test("more calls than the peer answers at a time are refused", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const limits = { maxMessageBytes: 70_000, maxCalls: 2, windowItems: 16, windowBytes: 64_000 };
    await using both = await pair(
      async (one) => {
        if (one.message.type !== HELLO) await promise;
        return echo(one);
      },
      { ...options, limits },
    );
    const first = [1, 2].map((data) => call(both, "request", { data }));
    expect(await failure(call(both, "request"))).toMatchObject({
      code: "resource_exhausted",
      outcome: "not-sent",
    });
    resolve();
    await Promise.all(first);
  });

  test("closing the listener lets calls end within the grace, and refuses new ones", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const both = await pair(async (one) => {
      if (one.message.type === HELLO) return echo(one);
      begin();
      await promise;
      return echo(one);
    }, options);
    const under = call(both, "request", { data: "still" });
    await begun;
    const closed = both.listener.close({ graceMs: 5_000 });
    expect(await failure(call(both, "request"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    resolve();
    expect((await under).message?.data).toBe("still");
    await closed;
    await both.connection.close();
    expect(await failure(grpc(options).connect(both.url))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  test("what is not done within the grace fails, and nothing is left", async () => {
    const aborted = Promise.withResolvers<unknown>();
    const both = await pair((one) => {
      if (one.message.type === HELLO) return echo(one);
      one.onAbort({ callAborted: aborted.resolve });
      return one.kind === "request" ? new Promise(() => {}) : { output: numbers(one, Number.POSITIVE_INFINITY) };
    }, options);
    const request = failure(call(both, "request"));
    const { output } = await call(both, "server-stream");
    const stream = failure(collect(output));
    const start = performance.now();
    await both.listener.close({ graceMs: 50 });
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(await request).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(await stream).toMatchObject({ code: "unavailable" });
    expect(await aborted.promise).toMatchObject({ code: "unavailable" });
    expect(both.listener.stats().openCalls).toBe(0);
    await both.connection.close({ graceMs: 0 });
  });

  test("a caller who vanishes is noticed", async () => {
    const { promise, resolve } = Promise.withResolvers<ParleyError>();
    const both = await pair((one) => {
      if (one.message.type === HELLO) return echo(one);
      one.onAbort({ callAborted: resolve });
      return new Promise(() => {});
    }, options);
    const answer = failure(call(both, "request"));
    await both.connection.ping();
    await both.connection.close({ graceMs: 0 });
    expect(await answer).toMatchObject({ code: "unavailable" });
    expect(["cancelled", "unavailable"]).toContain((await promise).code);
    await both.listener.close({ graceMs: 0 });
  });

  test("1,000 calls cancelled at random leave nothing open", async () => {
    await using both = await pair(async (one) => {
      if (one.message.type === HELLO) return echo(one);
      await new Promise((resolve) => setImmediate(resolve));
      return echo(one);
    }, options);
    let turn = 0;
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, n) => {
        const one = newCall(n % 2 ? "request" : "server-stream", { data: 20 });
        for (let wait = n % 7; wait > 0; wait--) await new Promise((resolve) => setImmediate(resolve));
        const answer = both.connection.call(one).then(({ output }) => collect(output));
        for (let wait = ++turn % 5; wait > 0; wait--) await new Promise((resolve) => setImmediate(resolve));
        one.abort(new ParleyError("cancelled", "at random"));
        await answer.catch(() => {});
      }),
    );
    await both.connection.ping();
    await expect.poll(() => both.listener.stats().openCalls + both.connection.stats().openCalls).toBe(0);
  });

  test("dialling nobody fails at once: nothing was sent", async () => {
    const url = await tcp(() => {});
    await cleanups.pop()?.();
    const start = performance.now();
    expect(await failure(grpc(options).connect(url))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test.each<[string, (socket: Socket) => void]>([
    ["accepts and cuts", (socket) => socket.destroy()],
    ["accepts and says nothing", () => {}],
    ["speaks something else", (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n")],
    ["speaks HTTP/1.1", (socket) => socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno")],
  ])("a peer that %s does not hang the caller", async (_what, answer) => {
    const url = await tcp(answer);
    const start = performance.now();
    const error = await failure(grpc(options).connect(url, { connectTimeoutMs: 300 }));
    expect(["unavailable", "deadline_exceeded"]).toContain(error["code"]);
    expect(error["outcome"]).toBe("not-sent");
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test("connecting can be given up", async () => {
    const url = await tcp(() => {});
    const connecting = grpc(options).connect(url, { signal: AbortSignal.timeout(50) });
    expect(await failure(connecting)).toMatchObject({ code: "cancelled", outcome: "not-sent" });
  });
});

test("the listener calls whom it is connected with", async () => {
  const listener = await grpc().listen(anyPort, async ({ message, context }) => {
    if (message.type === HELLO) return echo({ kind: "request", message } as Call);
    const { message: answer } = (await context.peer?.invoke?.(newCall("request", { data: "back" }))) ?? {};
    return { message: reply(message, "/agent", answer?.data) };
  });
  const handler: Handler = ({ message }) => ({ message: reply(message, "/client", [message.data]) });
  const connection = await grpc().connect(listener.url, { handler });
  expect((await call({ connection }, "request")).message?.data).toEqual(["back"]);
  await connection.close();
  await listener.close();
});

test("a Parley that was told to be native is called natively by one that was not", async () => {
  await using both = await pair(echo, { channel: false }, {});
  expect((await call(both, "request", { data: 1 })).message?.data).toBe(1);
  expect(both.connection.hello.limits).toEqual(grpc({ channel: false }).manifest.limits);
});

test.each<[string, string, GrpcOptions, string]>([
  ["reachable from elsewhere", "grpc://0.0.0.0:0", {}, "exposed"],
  ["at grpcs without a certificate", "grpcs://127.0.0.1:0", {}, "tls"],
  ["at a path", "grpc://127.0.0.1:0/agents", {}, "path"],
])("does not listen %s", async (_what, url, options, remedy) => {
  const error = await failure(grpc(options).listen(new URL(url), echo));
  expect(["failed_precondition", "invalid_argument"]).toContain(error["code"]);
  expect(error.message).toContain(remedy);
});

test("says which port is taken", async () => {
  await using both = await pair(echo);
  expect(await failure(grpc().listen(both.url, echo))).toMatchObject({
    code: "already_exists",
    message: expect.stringContaining(both.url.host),
  });
});

test.each([{ "bad name": "x" }, { "grpc-timeout": "1S" }, { authorization: "a\nb" }])(
  "headers that gRPC cannot send are an invalid argument: %o",
  async (headers) => {
    expect(await failure(grpc({ headers }).connect(new URL("grpc://127.0.0.1:1")))).toMatchObject({
      code: "invalid_argument",
      outcome: "not-sent",
    });
  },
);

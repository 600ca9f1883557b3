import { createServer, request } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket, connect as tcpConnect } from "node:net";
import { reply } from "@parley/core/transport";
import { afterEach, expect, test } from "vitest";
import { call, collect, echo, failure, item, items, newCall, type Pair, pair } from "../test/pair.ts";
import { http } from "./index.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** A way through which bytes pass, until it is told what to do with them. */
interface Wire {
  readonly url: URL;
  /** Cuts all connections, and all that are made from now on. */
  cut(): void;
  /** Lets nothing more pass, in either direction, without closing anything. */
  freeze(): void;
  /** Closes towards the client after so many bytes of answers from now. */
  cutAfter(bytes: number): void;
}

async function wireTo(target: URL): Promise<Wire> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let refused = false;
  let left = Number.POSITIVE_INFINITY;
  const server = createTcpServer((near) => {
    if (refused) return near.destroy();
    const far = tcpConnect(Number(target.port), "127.0.0.1");
    for (const one of [near, far]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (chunk) => frozen || far.write(chunk));
    far.on("data", (chunk: Buffer) => {
      if (frozen) return;
      near.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) near.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    cut() {
      refused = true;
      for (const socket of sockets) socket.destroy();
    },
    freeze() {
      frozen = true;
    },
    cutAfter(bytes) {
      left = bytes;
    },
  };
}

/** A connection through a wire. */
async function through(it: Pair, options = {}): Promise<{ readonly wire: Wire } & Pick<Pair, "connection">> {
  const wire = await wireTo(it.url);
  const connection = await http(options).connect(wire.url);
  cleanUp.push(() => connection.close({ graceMs: 0 }));
  return { wire, connection };
}

test("a call that is cut after it was sent has an unknown outcome; one that finds nobody was not sent", async () => {
  let arrived = (): void => {};
  const there = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  await using it = await pair((one) => {
    if (one.message.type !== "text.echo.v1") return echo()(one);
    arrived();
    return new Promise(() => {});
  });
  const { wire, connection } = await through(it);
  const answer = failure(call({ connection }, "request"));
  await there;
  wire.cut();
  expect(await answer).toMatchObject({ code: "unavailable", outcome: "unknown" });
  await it.listener.close({ graceMs: 0 });
  expect(await failure(call(it, "request"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("a stream that is cut is never a clean end", async () => {
  await using it = await pair((one) => {
    if (one.kind !== "server-stream") return echo()(one);
    return {
      output: (async function* () {
        for (let seq = 1; seq <= 3; seq++) yield item(one, seq, seq);
        await new Promise(() => {});
      })(),
    };
  });
  const { wire, connection } = await through(it);
  const { output } = await call({ connection }, "server-stream");
  const values: unknown[] = [];
  const error = await failure(
    (async () => {
      for await (const { data } of output ?? []) if (values.push(data) === 3) wire.cut();
    })(),
  );
  expect(values).toEqual([1, 2, 3]);
  expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

test("an answer that is cut at any byte is an error, and the next call works", async () => {
  await using it = await pair(echo());
  const { wire, connection } = await through(it);
  for (let bytes = 1; bytes < 300; bytes += 7) {
    wire.cutAfter(bytes);
    const error = await failure(call({ connection }, "request", { data: "x".repeat(64) }));
    expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
    wire.cutAfter(Number.POSITIVE_INFINITY);
    expect((await call({ connection }, "request", { data: bytes })).message?.data).toBe(bytes);
  }
});

test("a cut in the middle of an upload cancels its handler and fails its caller", async () => {
  let seen = (_: unknown): void => {};
  const error = new Promise<unknown>((resolve) => {
    seen = resolve;
  });
  let first = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    first = resolve;
  });
  await using it = await pair(async (one) => {
    if (one.kind !== "client-stream") return echo()(one);
    try {
      for await (const _ of one.input ?? []) first();
    } catch (thrown) {
      seen(thrown);
    }
    return { message: reply(one.message, "/agent") };
  });
  const { wire, connection } = await through(it);
  const input = (async function* () {
    yield* items(1);
    await new Promise(() => {});
  })();
  const answer = failure(call({ connection }, "client-stream", { input }));
  await arrived;
  wire.cut();
  expect(await answer).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect(await error).toMatchObject({ code: "cancelled" });
});

test("a peer that falls silent is noticed by its missing signs of life, for requests and streams", async () => {
  await using it = await pair(
    (one) => {
      if (one.message.type !== "text.echo.v1") return echo()(one);
      if (one.kind === "request") return new Promise(() => {});
      return {
        output: (async function* () {
          await new Promise(() => {});
        })(),
      };
    },
    { heartbeatMs: 100 },
  );
  const { wire, connection } = await through(it, { heartbeatMs: 100 });
  const { output } = await call({ connection }, "server-stream");
  const [request, stream] = [failure(call({ connection }, "request")), failure(collect(output))];
  let settled = false;
  void Promise.race([request, stream]).then(() => {
    settled = true;
  });
  // Silence of the handler alone is none of the peer.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(settled).toBe(false);
  wire.freeze();
  const start = performance.now();
  for (const answer of [request, stream]) {
    const error = await answer;
    expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(error.message).toContain("silent");
  }
  expect(performance.now() - start).toBeLessThan(3_000);
});

/** A proxy that passes a request on when it is complete, and the answer as it comes. */
async function collectingProxy(url: URL, rewrite: (text: string) => string = (text) => text): Promise<URL> {
  const server = createServer((near, answer) => {
    const chunks: Buffer[] = [];
    near.on("data", (chunk: Buffer) => chunks.push(chunk));
    near.on("end", () => {
      const { "transfer-encoding": _chunked, ...headers } = near.headers;
      const body = Buffer.concat(chunks);
      const far = request(
        {
          host: "127.0.0.1",
          port: url.port,
          path: near.url,
          method: near.method,
          headers: { ...headers, "content-length": body.length },
        },
        (response) => {
          answer.writeHead(response.statusCode ?? 502, response.headers);
          response.on("data", (chunk: Buffer) => answer.write(rewrite(chunk.toString())));
          response.on("end", () => answer.end());
        },
      );
      far.on("error", () => answer.destroy());
      answer.on("close", () => far.destroy());
      far.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

test("through a proxy that collects requests, a bidi-stream goes both ways by requests of its own", async () => {
  await using it = await pair((one) => {
    if (one.kind !== "bidi-stream") return echo()(one);
    return {
      output: (async function* () {
        let seq = 0;
        for await (const { data } of one.input ?? []) yield item(one, ++seq, (data as number) * 10);
      })(),
    };
  });
  const connection = await http().connect(await collectingProxy(it.url));
  cleanUp.push(() => connection.close({ graceMs: 0 }));
  const start = performance.now();
  const short = failure(connection.call(newCall("bidi-stream", { input: items(1), timeoutMs: 100 })));
  expect(await short).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
  // Each item is sent when the answer to the one before has come.
  let answered = Promise.withResolvers<void>();
  const input = (async function* () {
    for (const value of [1, 2, 3]) {
      yield* items(value);
      await answered.promise;
      answered = Promise.withResolvers();
    }
  })();
  const { output } = await call({ connection }, "bidi-stream", { input });
  const seen: unknown[] = [];
  for await (const { data } of output ?? []) {
    seen.push(data);
    answered.resolve();
  }
  expect(seen).toEqual([10, 20, 30]);
  expect(performance.now() - start).toBeLessThan(4_000);
  expect(it.listener.stats()).toMatchObject({ openCalls: 0, refusedMessages: 0 });
});

test("a bidi-stream through a proxy that collects requests, to a peer without an uplink, is not sent", async () => {
  let calls = 0;
  await using it = await pair((one) => {
    if (one.kind === "bidi-stream") calls++;
    return echo()(one);
  });
  const url = await collectingProxy(it.url, (text) => text.replace('"uplink":true', '"uplink":null'));
  const connection = await http().connect(url);
  cleanUp.push(() => connection.close({ graceMs: 0 }));
  const error = await failure(call({ connection }, "bidi-stream", { input: items(1) }));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(error.message).toContain("buffer");
  expect(calls).toBe(0);
});

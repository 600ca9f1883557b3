import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import { inspect } from "node:util";
import { credentials, Metadata, status } from "@grpc/grpc-js";
import { createEnvelope, HELLO, type Listener } from "@parley/core/transport";
import { afterEach, describe, expect, test } from "vitest";
import { anyPort, call, echo, numbers, pair } from "../test/pair.ts";
import { event, ParleyClient, type ProtoEvent } from "../test/protos.ts";
import { type GrpcOptions, grpc } from "./index.ts";
import { encodeEvent } from "./wire/encode-event.ts";
import { encodeBatch } from "./wire/event-batch.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listening(options: GrpcOptions = {}): Promise<Listener> {
  const listener = await grpc(options).listen(anyPort, echo);
  cleanups.push(() => listener.close({ graceMs: 0 }));
  return listener;
}

function http2(listener: Listener): ClientHttp2Session {
  const session = connect(`http://${listener.url.host}`);
  session.on("error", () => {});
  cleanups.push(() => session.destroy());
  return session;
}

const headers = (path: string, more: Record<string, string> = {}): Record<string, string> => ({
  ":method": "POST",
  ":path": path,
  "content-type": "application/grpc",
  te: "trailers",
  ...more,
});

const framed = (message: Buffer, flag = 0): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
};

/** The grpc-status that a stream ends with; undefined when it has none. */
function statusOf(stream: ClientHttp2Stream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let told: string | undefined;
    const look = (fields: Record<string, unknown>): void => {
      told ??= fields["grpc-status"] as string | undefined;
      // Its own half of the stream may be open still.
      if (told !== undefined) resolve(told);
    };
    stream.on("response", look).on("trailers", look);
    stream.on("error", () => {});
    stream.on("close", () => resolve(told));
    stream.resume();
  });
}

/** Whether the listener still serves. */
async function serves(listener: Listener): Promise<void> {
  await using connection = await grpc().connect(listener.url);
  expect((await call({ connection }, "request", { data: 1 })).message?.data).toBe(1);
}

const request = (): Buffer =>
  framed(encodeEvent(createEnvelope({ kind: "request", type: "text.echo.v1", source: "/h", data: 1 })));

describe("a listener goes on after", () => {
  test.each<[string, Record<string, string>, Buffer, string | undefined]>([
    ["a call of no method", headers("/parley.v1.Parley/Nothing"), request(), "12"],
    ["a call of no path", headers(""), request(), undefined],
    [
      "another content type",
      headers("/parley.v1.Parley/Request", { "content-type": "text/html" }),
      request(),
      undefined,
    ],
    ["a length beyond the limit", headers("/parley.v1.Parley/Request"), Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), "8"],
    ["a message that is no event", headers("/parley.v1.Parley/Request"), framed(Buffer.alloc(40, 0xff)), "3"],
    ["no message at all", headers("/parley.v1.Parley/Request"), Buffer.alloc(0), "12"],
    [
      "compression that is none",
      headers("/parley.v1.Parley/Request", { "grpc-encoding": "gzip" }),
      framed(Buffer.from("no gzip"), 1),
      "13",
    ],
    ["a timeout of no unit", headers("/parley.v1.Parley/Request", { "grpc-timeout": "1x" }), request(), "13"],
    ["a negative timeout", headers("/parley.v1.Parley/Request", { "grpc-timeout": "-1S" }), request(), "13"],
    [
      "a timeout of nine digits",
      headers("/parley.v1.Parley/Request", { "grpc-timeout": "999999999S" }),
      request(),
      "13",
    ],
    ["a timeout of 30 days", headers("/parley.v1.Parley/Request", { "grpc-timeout": "2592000S" }), request(), "0"],
    ["the longest timeout", headers("/parley.v1.Parley/Request", { "grpc-timeout": "99999999H" }), request(), "0"],
    ["an opener that is none", headers("/parley.v1.Parley/BidiStream"), framed(Buffer.from([8])), "3"],
    ["a batch that is none", headers("/parley.v1.Parley/Channel"), framed(Buffer.from([8, 1])), "3"],
    [
      "a batch of an event that is none",
      headers("/parley.v1.Parley/Channel"),
      framed(encodeBatch([Buffer.from([9])])),
      "3",
    ],
    [
      "a call before the handshake",
      headers("/parley.v1.Parley/Channel"),
      framed(
        encodeBatch([encodeEvent(createEnvelope({ kind: "request", type: "a.b.v1", source: "/h" }), { call: 1 })]),
      ),
      "3",
    ],
  ])("%s", async (_what, head, body, expected) => {
    const listener = await listening({
      limits: { maxMessageBytes: 100_000, maxCalls: 16, windowItems: 8, windowBytes: 8_000 },
    });
    const stream = http2(listener).request(head);
    const told = statusOf(stream);
    stream.end(body);
    expect(await told).toBe(expected);
    await serves(listener);
  });

  test("a connection that is no HTTP/2", async () => {
    const listener = await listening();
    const socket = connectTcp(Number(listener.url.port), "127.0.0.1");
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await closed;
    await serves(listener);
  });

  test("1,000 streams that are reset as soon as they are opened", async () => {
    const listener = await listening();
    const session = http2(listener);
    for (let n = 0; n < 1_000; n++) {
      const stream = session.request(headers("/parley.v1.Parley/ServerStream"));
      stream.on("error", () => {});
      stream.end(request());
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await serves(listener);
    await expect.poll(() => listener.stats().openCalls).toBe(0);
  });

  test("more streams at a time than it allows", async () => {
    const listener = await listening({
      limits: { maxMessageBytes: 100_000, maxCalls: 4, windowItems: 8, windowBytes: 8_000 },
    });
    const session = http2(listener);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(4);
    await serves(listener);
  });
});

test("what is not told is not believed: reserved metadata is gRPC's, odd metadata is nobody's", async () => {
  const listener = await listening();
  const client = new ParleyClient(listener.url.host, credentials.createInsecure());
  cleanups.push(() => client.close());
  const metadata = new Metadata();
  metadata.set("traceparent", "none");
  metadata.set("ce-id", "another");
  const answer = await new Promise<ProtoEvent>((resolve, reject) =>
    client.Request(event("text.echo.v1", 1), metadata, (error, one) =>
      error ? reject(error) : resolve(one as ProtoEvent),
    ),
  );
  expect(answer.text_data).toBe("1");
  expect(answer.id).toBe("f-1.r");
});

test("a caller who opens the stream of all calls and says nothing is let go", async () => {
  const listener = await listening({ helloTimeoutMs: 50 });
  const stream = http2(listener).request(headers("/parley.v1.Parley/Channel"));
  expect(await statusOf(stream)).toBe(String(status.DEADLINE_EXCEEDED));
});

test("a caller who never opens its upload does not keep the listener from closing", async () => {
  const listener = await grpc().listen(anyPort, echo);
  const stream = http2(listener).request(headers("/parley.v1.Parley/ClientStream"));
  stream.on("error", () => {});
  const socket = connectTcp(Number(listener.url.port), "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  const start = performance.now();
  await listener.close({ graceMs: 0 });
  expect(performance.now() - start).toBeLessThan(3_000);
});

test("an upload that was answered and goes on is cut, and its place is free again", async () => {
  const listener = await listening({ foreignTimeoutMs: 50 });
  const stream = http2(listener).request(headers("/parley.v1.Parley/ClientStream"));
  const closed = new Promise((resolve) => stream.once("close", resolve));
  const told = statusOf(stream);
  const { parley: _none, ...foreign } = createEnvelope({ kind: "client-stream", type: "text.echo.v1", source: "/h" });
  stream.write(framed(encodeEvent(foreign)));
  // A message that never ends, byte by byte.
  stream.write(Buffer.from([0, 0, 0, 1, 0]));
  const trickle = setInterval(() => stream.writable && stream.write("x"), 10);
  cleanups.push(() => clearInterval(trickle));
  expect(await told).toBe(String(status.DEADLINE_EXCEEDED));
  expect(listener.stats().openCalls).toBe(0);
  await closed;
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});

test("a timeout of 30 days is no timeout of none", async () => {
  let left: number | undefined;
  const listener = await grpc().listen(anyPort, async (one) => {
    left = Number(one.deadline) - performance.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    return echo(one);
  });
  cleanups.push(() => listener.close({ graceMs: 0 }));
  const stream = http2(listener).request(headers("/parley.v1.Parley/Request", { "grpc-timeout": "2592000S" }));
  const told = statusOf(stream);
  stream.end(request());
  expect(await told).toBe("0");
  expect(left).toBeGreaterThan(24 * 86_400_000);
});

test.each([true, false])(
  "a peer that accepts connections and says nothing is given up, and let go (channel: %s)",
  async (channel) => {
    const closed = Promise.withResolvers<void>();
    const mute = createTcpServer((socket) => {
      socket.on("error", () => {}).on("close", () => closed.resolve());
      socket.resume();
    });
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => mute.close());
    const url = new URL(`grpc://127.0.0.1:${(mute.address() as { port: number }).port}`);
    await expect(grpc({ channel }).connect(url, { connectTimeoutMs: 200 })).rejects.toMatchObject({
      code: "deadline_exceeded",
      outcome: "not-sent",
    });
    await closed.promise;
  },
);

test("headers and certificates that cannot be used are invalid arguments, and what they hold is not shown", async () => {
  const headers = { authorization: "canary\n" };
  const error = await grpc({ headers })
    .connect(new URL("grpc://127.0.0.1:9"))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "invalid_argument", message: expect.stringContaining("header authorization") });
  expect(inspect(error)).not.toContain("canary");
  const tls = { cert: "canary", key: "canary" };
  const listening = await grpc({ tls })
    .listen(new URL("grpcs://127.0.0.1:0"), echo)
    .catch((thrown: unknown) => thrown);
  expect(listening).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(inspect(listening)).not.toContain("canary");
});

test("options that no connection could have are refused, before anybody comes or is dialled", async () => {
  await expect(grpc({ heartbeatMs: 0 }).listen(anyPort, echo)).rejects.toMatchObject({ code: "invalid_argument" });
  const listener = await listening();
  const dialling = grpc({ heartbeatMs: 0 }).connect(listener.url);
  await expect(dialling).rejects.toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
});

test("a peer that reads nothing of what it asks for is cut at the bound, and the listener closes in time", async () => {
  const listener = await grpc({ maxQueuedChars: 1024 * 1024 }).listen(anyPort, (one) =>
    one.message.type === HELLO ? echo(one) : { output: numbers(one, 1) },
  );
  const session = http2(listener);
  const stream = session.request(headers("/parley.v1.Parley/Channel"));
  stream.on("error", () => {});
  const closed = new Promise((resolve) => session.once("close", resolve));
  const opened = (kind: "request" | "server-stream", type: string, number: number): Buffer =>
    encodeEvent(createEnvelope({ kind, type, source: "/h", data: { x: "y".repeat(100) } }), { call: number });
  // Its window for this stream stays shut: nothing is read.
  stream.pause();
  stream.write(framed(encodeBatch([opened("request", HELLO, 1)])));
  let number = 3;
  const flood = setInterval(() => {
    if (stream.destroyed) return;
    const events = Array.from({ length: 200 }, (_, n) => opened("request", "parley.ping.v1", number + 2 * n));
    number += 400;
    stream.write(framed(encodeBatch(events)));
  }, 1);
  await closed;
  clearInterval(flood);
  const start = performance.now();
  await listener.close({ graceMs: 0 });
  expect(performance.now() - start).toBeLessThan(3_000);
}, 15_000);

test("a client survives a server whose answers are HTML", async () => {
  const { createServer } = await import("node:http2");
  const server = createServer((_request, response) => {
    response.writeHead(404, { "content-type": "text/html" });
    response.end("404 not found, and rather long");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  const url = new URL(`grpc://127.0.0.1:${(server.address() as { port: number }).port}`);
  for (const channel of [true, false]) {
    const outcome = await grpc({ channel })
      .connect(url, { connectTimeoutMs: 2_000 })
      .then(
        async (connection) => {
          const error = await call({ connection }, "request").then(
            () => undefined,
            (thrown: { code: string }) => thrown.code,
          );
          await connection.close({ graceMs: 0 });
          return error;
        },
        (thrown: { code: string }) => thrown.code,
      );
    expect(["unavailable", "unimplemented"]).toContain(outcome);
  }
});

test("several connections are several peers, and close apart", async () => {
  await using both = await pair(echo);
  await using other = await grpc().connect(both.url);
  await other.close();
  expect((await call(both, "request", { data: 1 })).message?.data).toBe(1);
});

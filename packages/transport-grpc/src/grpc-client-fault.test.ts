import { createServer as createHttpServer } from "node:http";
import { constants, createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer, type Socket, type Server as TcpServer } from "node:net";
import { type handleUnaryCall, Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { fromJSON, type MessageTypeDefinition } from "@grpc/proto-loader";
import type { Listener } from "@parley/core/transport";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { anyPort, echo, failure } from "../test/pair.ts";
import { protoFolders } from "../test/protos.ts";
import { demoServer, demoStubs, pythonMissing, temporaryFolder } from "../test/python.ts";
import { GrpcClient, type GrpcClientOptions, grpc } from "./index.ts";
import { asBytes } from "./wire/methods.ts";
import { reflectionMethods } from "./wire/reflection.ts";

const missing = await pythonMissing();
const byFile: Partial<GrpcClientOptions> = { proto: "demo/v1/demo.proto", includeDirs: [...protoFolders] };
const demo = "demo.v1.Demo";
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function clientOf(port: number, options: Partial<GrpcClientOptions> = {}): GrpcClient {
  const client = new GrpcClient({ url: `grpc://127.0.0.1:${port}`, ...byFile, ...options });
  cleanups.push(() => client.close({ graceMs: 0 }));
  return client;
}

async function listening(server: TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

/** A port at which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const sayHello = (client: GrpcClient, options = {}): Promise<unknown> =>
  client.unary(`${demo}/SayHello`, { name: "Ada" }, options);

test("where nobody listens nothing is sent, and what may be wrong is said", async () => {
  const client = clientOf(await freePort());
  for (const attempt of [() => sayHello(client), () => client.connect()]) {
    const error = await failure(attempt());
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(error.message).toMatch(/cannot be reached: .*ECONNREFUSED.*; is it a gRPC server without TLS/);
  }
  expect(await client.health()).toMatchObject({
    state: "connecting",
    lastError: { code: "unavailable", outcome: "not-sent" },
  });
});

test("a name that nobody has is unreachable", async () => {
  const client = new GrpcClient({ url: "grpc://nobody.invalid:1", ...byFile });
  cleanups.push(() => client.close());
  expect(await failure(sayHello(client))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

describe("a server that takes connections and says nothing", () => {
  test("is given up in time, by calls and by connect; nothing was sent, and its connection is let go", async () => {
    let open = 0;
    const port = await listening(
      createServer((socket) => {
        open++;
        socket.resume().on("close", () => open--);
      }),
    );
    const client = clientOf(port, { connectTimeoutMs: 150 });
    const error = await failure(sayHello(client));
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(error.message).toContain("did not become reachable within 150 ms");
    expect(await failure(client.connect())).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    const late = sayHello(client, { timeoutMs: 50 });
    expect(await failure(late)).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    const waiting = sayHello(client, { waitForReady: true, timeoutMs: 300 });
    expect(await failure(waiting)).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    const { signal } = { signal: AbortSignal.timeout(50) };
    expect(await failure(client.connect({ signal }))).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    expect(await failure(sayHello(client, { signal }))).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    await client.close();
    await expect.poll(() => open).toBe(0);
  });
});

test("a call that waits for another attempt ends when its client is closed", async () => {
  const client = clientOf(await freePort(), { retry: { baseMs: 60_000, maxMs: 60_000, maxAttempts: 9 } });
  const call = failure(sayHello(client));
  await expect.poll(() => client.state).toBe("connecting");
  await client.close({ graceMs: 50 });
  expect(await call).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("a server of another protocol is unreachable", async () => {
  const http = createHttpServer((_request, response) => response.end("<html>"));
  const client = clientOf(await listening(http), { connectTimeoutMs: 1_000 });
  expect(await failure(sayHello(client))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("a server that cuts every connection is unreachable", async () => {
  const client = clientOf(await listening(createServer((socket) => socket.destroy())), { connectTimeoutMs: 1_000 });
  expect(await failure(sayHello(client))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

describe("a server whose answer", () => {
  const half = Buffer.from([0, 0, 0, 0, 100, 1, 2]);
  test.each<[string, (stream: ServerHttp2Stream) => void, string]>([
    ["is cut off in the middle of a message", (stream) => stream.session?.destroy(), "unavailable"],
    ["is reset in the middle of a message", (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR), "internal"],
    ["ends in the middle of a message, and without a status", (stream) => stream.end(), "internal"],
  ])("%s may have acted", async (_what, leave, code) => {
    const server = createHttp2Server();
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.write(half, () => leave(stream));
    });
    const client = clientOf(await listening(server as unknown as TcpServer));
    expect(await failure(sayHello(client))).toMatchObject({ code, outcome: "unknown" });
  });
});

describe.skipIf(missing !== undefined)(`a server in Python${missing === undefined ? "" : ` (${missing})`}`, () => {
  const stubs = temporaryFolder();
  beforeAll(() => demoStubs(stubs.path), 30_000);
  afterAll(() => stubs[Symbol.dispose]());

  test("that dies amid a stream has given what it sent; whether it acted is unknown", async () => {
    await using server = await demoServer(stubs.path);
    const client = clientOf(server.port);
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const { value } of client.serverStream<{ value: number }>(`${demo}/Die`, {})) seen.push(value);
    })();
    expect(await failure(reading)).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(seen).toEqual([1]);
  });

  test("that is killed leaves what was sent unknown, and what comes later not sent; when it is back it is called again", async () => {
    const port = await freePort();
    const client = clientOf(port);
    const states: string[] = [];
    client.onState(({ state }) => states.push(state));
    {
      await using server = await demoServer(stubs.path, { port });
      await sayHello(client);
      const waiting = failure(client.unary(`${demo}/Wait`, { count: 60_000 }));
      await sayHello(client);
      server.process.kill("SIGKILL");
      expect(await waiting).toMatchObject({ code: "unavailable", outcome: "unknown" });
    }
    expect(await failure(sayHello(client))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    const retried = clientOf(port, { retry: { maxAttempts: 50, baseMs: 100, maxMs: 200 } });
    const again = [sayHello(client, { waitForReady: true, timeoutMs: 20_000 }), sayHello(retried)];
    await using _server = await demoServer(stubs.path, { port });
    expect(await Promise.all(again)).toEqual([{ text: "Hello, Ada!" }, { text: "Hello, Ada!" }]);
    expect(states).toEqual(expect.arrayContaining(["connecting", "open", "reconnecting"]));
    expect(states.at(-1)).toBe("open");
  });

  test("that is stopped by SIGSTOP is noticed by keepalive", async () => {
    await using server = await demoServer(stubs.path);
    const client = clientOf(server.port, { keepaliveMs: 200 });
    await sayHello(client);
    server.process.kill("SIGSTOP");
    // It may answer some more until the signal has reached it.
    const call = async (): Promise<never> => {
      for (;;) await sayHello(client);
    };
    expect(await failure(call())).toMatchObject({ code: "unavailable", outcome: "unknown" });
  });
});

test("the proto files that cannot be read are named", async () => {
  const client = clientOf(1, { proto: "nowhere.proto", includeDirs: [] });
  const error = await failure(sayHello(client));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(error.message).toContain("nowhere.proto cannot be read");
});

test.each<[Partial<GrpcClientOptions>, string]>([
  [{ url: "127.0.0.1:50051" }, "grpc:"],
  [{ url: "localhost" }, "is no URL"],
  [{ url: "http://127.0.0.1:1" }, "begins with grpc:"],
  [{ url: "grpc://me:secret@127.0.0.1:1" }, "credentials do not belong into a URL"],
  [{ url: "grpc://127.0.0.1:1/path" }, "no path"],
  [{ url: "grpcs://127.0.0.1:1", tls: { cert: "none" } }, "what is in the PEM files"],
  [{ retry: { maxAttempts: 0 } }, "maxAttempts"],
  [{ timeoutMs: -1 }, "timeoutMs is -1"],
])("the options %j are refused at once", (options, text) => {
  expect(() => clientOf(1, options)).toThrow(expect.objectContaining({ message: expect.stringContaining(text) }));
});

describe("a Parley", () => {
  let listener: Listener;
  beforeAll(async () => {
    listener = await grpc().listen(anyPort, echo);
  });
  afterAll(() => listener.close({ graceMs: 0 }));

  test("is called as any server, by its own reflection", async () => {
    const client = clientOf(Number(listener.url.port), { proto: undefined });
    expect(await client.services()).toEqual(["parley.v1.Parley", "grpc.health.v1.Health"]);
    const event = { id: "1", source: "/me", specVersion: "1.0", type: "text.echo.v1", textData: "[1]" };
    const answer = await client.unary<{ textData: string }>("parley.v1.Parley/Request", event);
    expect(answer.textData).toBe("[1]");
    expect(await client.unary("grpc.health.v1.Health/Check", {})).toEqual({ status: "SERVING" });
    expect(await client.health()).toEqual({ state: "open", roundTripMs: expect.any(Number) });
    const error = await failure(client.unary("parley.v1.Parley/Request", {}));
    expect(error).toMatchObject({ code: "failed_precondition", outcome: "rejected", details: { grpcStatus: 9 } });
  });
});

test("a server that says of itself that it does not serve is not well", async () => {
  const server = new Server();
  const check: handleUnaryCall<Buffer, Buffer> = (_call, answer) => answer(null, Buffer.from([8, 2]));
  server.register("/grpc.health.v1.Health/Check", check, asBytes, asBytes, "unary");
  const client = clientOf(await bound(server));
  expect(await client.health()).toMatchObject({
    lastError: { code: "unavailable", message: expect.stringContaining("does not serve") },
  });
});

async function bound(server: Server): Promise<number> {
  cleanups.push(() => server.forceShutdown());
  return new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
}

describe("server reflection", () => {
  const reflection = fromJSON(
    {
      nested: {
        Answer: {
          fields: {
            files: { type: "Files", id: 4 },
            services: { type: "Services", id: 6 },
            error: { type: "Failure", id: 7 },
          },
        },
        Files: { fields: { file: { rule: "repeated", type: "bytes", id: 1 } } },
        Services: { fields: { service: { rule: "repeated", type: "Service", id: 1 } } },
        Service: { fields: { name: { type: "string", id: 1 } } },
        Failure: { fields: { code: { type: "int32", id: 1 }, message: { type: "string", id: 2 } } },
      },
    },
    {},
  );
  const encode = (value: object): Buffer =>
    (reflection["Answer"] as MessageTypeDefinition<object, object>).serialize(value);

  /** A client of a server that answers every question about itself so. */
  async function asking(answers: (question: number) => Buffer | undefined): Promise<GrpcClient> {
    const server = new Server();
    let count = 0;
    const answer = (stream: ServerDuplexStream<Buffer, Buffer>): void => {
      stream.on("data", () => {
        const one = answers(count++);
        if (one) stream.write(one);
        else stream.end();
      });
      stream.on("end", () => stream.end());
      stream.on("error", () => {});
    };
    server.register(`/${reflectionMethods[0]}`, answer, asBytes, asBytes, "bidi");
    return clientOf(await bound(server), { proto: undefined, connectTimeoutMs: 2_000 });
  }

  test.each<[string, (question: number) => Buffer | undefined, string]>([
    ["bytes that are no answer", () => Buffer.alloc(20, 0xff), "cannot be read"],
    ["no answer", () => undefined, "unanswered"],
    ["no file", () => encode({ files: {} }), "about something else"],
    ["a file that is none", () => encode({ files: { file: [Buffer.alloc(20, 0xff)] } }), "cannot be read"],
    [
      "another file",
      () => encode({ files: { file: [Buffer.from("\n\u0001a\u0012\u0001b")] } }),
      "about something else",
    ],
    [
      "imports without end",
      (n) => encode({ files: { file: [Buffer.from(`\n\u0005f${1000 + n}\u001a\u0005f${1001 + n}`)] } }),
      "does not tell",
    ],
    [
      "more imports than anybody needs",
      () => {
        const imports = Array.from({ length: 1_100 }, (_, n) => `\u001a\u0004${1000 + n}`).join("");
        return encode({ files: { file: [Buffer.from(`\n\u0001a${imports}`)] } });
      },
      "says more of",
    ],
    [
      "more than anybody needs",
      () => encode({ files: { file: Array.from({ length: 1_100 }, (_, n) => Buffer.from(`\n\u0004${1000 + n}`)) } }),
      "says more of",
    ],
  ])("that gives %s is of no use, and says so", async (_what, answers, text) => {
    const error = await failure((await asking(answers)).unary(`${demo}/SayHello`, {}));
    expect(error).toMatchObject({ code: "internal", outcome: "not-sent" });
    expect(error.message).toContain(text);
    expect(error.message).toContain("give the option proto");
  });

  test("that refuses says why", async () => {
    const client = await asking(() => encode({ error: { code: 7, message: "not for you" } }));
    const error = await failure(client.unary(`${demo}/SayHello`, {}));
    expect(error).toMatchObject({ code: "permission_denied", outcome: "not-sent" });
    expect(error.message).toContain("not for you");
  });

  test("that is not there is named, and so is the way out", async () => {
    const client = clientOf(await bound(new Server()), { proto: undefined });
    const error = await failure(client.unary(`${demo}/SayHello`, {}));
    expect(error).toMatchObject({ code: "failed_precondition", outcome: "not-sent" });
    expect(error.message).toContain("no server reflection, so its methods are not known; give the option proto");
  });

  test("that does not answer is waited for no longer than the call may take", async () => {
    const client = await asking(() => Buffer.alloc(0));
    const server = new Server();
    server.register(`/${reflectionMethods[0]}`, (() => {}) as never, asBytes, asBytes, "bidi");
    const silent = clientOf(await bound(server), { proto: undefined });
    const error = await failure(silent.unary(`${demo}/SayHello`, {}, { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    await client.close();
  });
});

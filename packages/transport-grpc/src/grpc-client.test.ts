import { inspect } from "node:util";
import {
  bearer,
  type ClientCertificate,
  type Credential,
  type Credentials,
  type Interceptor,
  ParleyError,
  retry,
} from "@parley/core";
import { certificates } from "@parley/test-certificates";
import protobuf from "protobufjs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { failure } from "../test/pair.ts";
import { protoFolders } from "../test/protos.ts";
import { proxyTo } from "../test/proxy.ts";
import { type DemoServer, demoServer, demoStubs, pythonMissing, temporaryFolder } from "../test/python.ts";
import { GrpcClient, type GrpcClientOptions } from "./index.ts";

const missing = await pythonMissing();
const { ca, serverCert, serverKey, clientCert, clientKey, strangerCert, strangerKey } = certificates;

const byFile: Partial<GrpcClientOptions> = { proto: "demo/v1/demo.proto", includeDirs: [...protoFolders] };
const demo = "demo.v1.Demo";

/** A field of every sort, as JavaScript has it. */
const everything = {
  byName: { "a key": { rawBytes: Buffer.from([0, 255]), moods: ["MOOD_HAPPY", "MOOD_SAD"] } },
  names: { 1: "one", "-2": "minus two" },
  asNumber: "-9007199254740993",
  choice: "asNumber",
  someNumbers: [1, -2, 300],
  someWords: ["Grüße", ""],
  theMood: "MOOD_HAPPY",
  atTime: { seconds: "1700000000", nanos: 5 },
  nestedOne: { rawBytes: Buffer.alloc(0), moods: [] },
  someDouble: -0.5,
  isSet: true,
  largeNumber: "18446744073709551615",
  rawBytes: Buffer.from("bytes"),
  field_1B: 7,
};

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe.skipIf(missing !== undefined)(`a server in Python${missing === undefined ? "" : ` (${missing})`}`, () => {
  const stubs = temporaryFolder();
  const clients: GrpcClient[] = [];
  let server: DemoServer;

  beforeAll(async () => {
    await demoStubs(stubs.path);
    server = await demoServer(stubs.path, { reflection: ["v1alpha"] });
  }, 30_000);

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close({ graceMs: 0 });
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    stubs[Symbol.dispose]();
  });

  function clientOf(options: Partial<GrpcClientOptions> = byFile, port: number = server.port): GrpcClient {
    const client = new GrpcClient({ url: `grpc://127.0.0.1:${port}`, ...options });
    clients.push(client);
    return client;
  }

  describe.each([
    ["a .proto file", byFile],
    ["server reflection that knows only v1alpha, and gives files one by one", {}],
  ])("by %s", (_what, options) => {
    test("methods of all four shapes are called", async () => {
      const client = clientOf(options);
      expect(await client.unary(`${demo}/SayHello`, { name: "Ada" })).toEqual({ text: "Hello, Ada!" });
      const numbers = await collect(client.serverStream<{ value: number }>(`${demo}/Count`, { count: 3 }));
      expect(numbers.map(({ value }) => value)).toEqual([1, 2, 3]);
      const sum = await client.clientStream(`${demo}/Sum`, [{ value: 1 }, { value: 2 }]);
      expect(sum).toEqual({ total: "3", count: 2 });
      const lines = client.bidiStream(`${demo}/Chat`, [{ text: "a" }, { text: "b" }]);
      expect(await collect(lines)).toEqual([{ text: "A" }, { text: "B" }]);
    });

    test("a field of every sort comes back as it went", async () => {
      expect(await clientOf(options).unary(`${demo}/Echo`, everything)).toEqual(everything);
    });

    test("what is not set has its default, or is null", async () => {
      expect(await clientOf(options).unary(`${demo}/Echo`, {})).toEqual({
        ...{ byName: {}, names: {}, someNumbers: [], someWords: [], theMood: "MOOD_UNSPECIFIED", atTime: null },
        ...{ nestedOne: null, someDouble: 0, isSet: false, largeNumber: "0", rawBytes: Buffer.alloc(0), field_1B: 0 },
      });
    });

    test("messages look as they are wanted", async () => {
      const format = { keepCase: true, longs: "number", enums: "number", defaults: false, oneofs: false } as const;
      const sent = { as_number: 5, the_mood: 1, nested_one: { raw_bytes: Buffer.from("x") } };
      expect(await clientOf({ ...options, format }).unary(`${demo}/Echo`, sent)).toEqual(sent);
    });

    test("what is idempotent by its file is called again, and nothing else", async () => {
      const key = `${Math.random()}`;
      const client = clientOf({ ...options, retry: { baseMs: 1 } });
      expect(await client.unary(`${demo}/Flaky`, { key, failures: 2 })).toEqual({ text: "after 3" });
      const once = client.unary(`${demo}/FlakyOnce`, { key: `${key} once`, failures: 1 });
      expect(await failure(once)).toMatchObject({ code: "unavailable", outcome: "unknown" });
      const marked = { idempotent: true };
      const twice = client.unary(`${demo}/FlakyOnce`, { key: `${key} marked`, failures: 1 }, marked);
      expect(await twice).toEqual({ text: "after 2" });
    });

    test("its services are told, and one that is not there is answered with those", async () => {
      const client = clientOf(options);
      expect(await client.services()).toEqual([demo]);
      const error = await failure(client.unary("demo.v1.Nothing/SayHello", {}));
      expect(error).toMatchObject({ code: "unimplemented", outcome: "not-sent" });
      expect(error.message).toContain(`has no service demo.v1.Nothing; it has ${demo}`);
    });

    test.each([
      ["SayHello", "invalid_argument", "package.Service/Method"],
      [`${demo}/`, "invalid_argument", "package.Service/Method"],
      [`${demo}/SayHello/x`, "invalid_argument", "package.Service/Method"],
      [`${demo}/Nothing`, "unimplemented", "SayHello, Count"],
      [`${demo}/Count`, "invalid_argument", "serverStream"],
    ])("the name %s is refused for a unary call: %s", async (name, code, text) => {
      const error = await failure(clientOf(options).unary(name, {}));
      expect(error).toMatchObject({ code, outcome: "not-sent", message: expect.stringContaining(text) });
    });
  });

  test("a server without the newest reflection is found out once by many who ask at the same time", async () => {
    const client = clientOf({});
    const [services, ...greetings] = await Promise.all([
      client.services(),
      ...["A", "B"].map((name) => client.unary(`${demo}/SayHello`, { name })),
    ]);
    expect([services, greetings]).toEqual([[demo], [{ text: "Hello, A!" }, { text: "Hello, B!" }]]);
  });

  test("a service's methods are called by their own names, and by those in lower case", async () => {
    interface Demo {
      sayHello(request: { name: string }): Promise<{ text: string }>;
      SayHello(request: { name: string }): Promise<{ text: string }>;
      count(request: { count: number }): AsyncIterable<{ value: number }>;
      sum(requests: AsyncIterable<{ value: number }>): Promise<{ total: string }>;
      chat(requests: AsyncIterable<{ text: string }>): AsyncIterable<{ text: string }>;
    }
    const stub = await clientOf().service<Demo>(demo);
    const { text } = await stub.sayHello({ name: "Ada" }, { timeoutMs: 5_000 });
    expect([text, await stub.SayHello({ name: "Bo" })]).toEqual(["Hello, Ada!", { text: "Hello, Bo!" }]);
    expect((await collect(stub.count({ count: 2 }))).map(({ value }) => value)).toEqual([1, 2]);
    expect((await stub.sum([{ value: 4 }])).total).toBe("4");
    expect(await collect(stub.chat([{ text: "x" }]))).toEqual([{ text: "X" }]);
  });

  test("metadata goes and comes, binary too, and a call's own takes the place of the client's", async () => {
    const client = clientOf({ ...byFile, headers: { "X-Name": "of the client", "x-bytes-bin": "AP8=" } });
    const seen: (string | null)[][] = [];
    const onHeaders = (headers: Headers): void => void seen.push([headers.get("x-seen"), headers.get("x-seen-bin")]);
    await client.unary(`${demo}/SayHello`, {}, { onHeaders });
    await client.unary(`${demo}/SayHello`, {}, { onHeaders, headers: new Headers({ "x-name": "of the call" }) });
    expect(seen).toEqual([
      ["of the client", "AP8="],
      ["of the call", "AP8="],
    ]);
    let count: string | null = null;
    const onTrailers = (trailers: Headers): void => {
      count = trailers.get("x-count");
    };
    await collect(client.serverStream(`${demo}/Count`, { count: 3 }, { onTrailers }));
    expect(count).toBe("3");
  });

  describe("credentials", () => {
    /** A token that is another one each time that it was refused. */
    function tokens(): Credentials & { asked: number } {
      let age = 0;
      const present = async (): Promise<Credential> => {
        credentials.asked++;
        const token = `token ${age}`;
        return { header: () => ["x-token", token], login: () => ({ password: token }), text: () => token };
      };
      const credentials = { asked: 0, present, refused: () => ++age < 3 };
      return credentials;
    }

    test("are shown with every call, and renewed once when the server does not accept them", async () => {
      const credentials = tokens();
      const client = clientOf({ ...byFile, credentials });
      expect(await client.unary(`${demo}/Guarded`, { name: "token 0" })).toEqual({ text: "token 0" });
      expect(await client.unary(`${demo}/Guarded`, { name: "token 1" })).toEqual({ text: "token 1" });
      expect(credentials.asked).toBe(3);
      const error = await failure(client.unary(`${demo}/Guarded`, { name: "another" }));
      expect(error).toMatchObject({ code: "unauthenticated", outcome: "rejected" });
      expect(credentials.asked).toBe(5);
    });

    test("that cannot be had mean that nothing is sent", async () => {
      const why = new ParleyError("unavailable", "no token", { outcome: "not-sent" });
      const client = clientOf({ ...byFile, credentials: { present: () => Promise.reject(why) } });
      expect(await failure(client.unary(`${demo}/SayHello`, {}))).toBe(why);
      const never = clientOf({ ...byFile, credentials: { present: () => new Promise<never>(() => {}) } });
      const late = never.unary(`${demo}/SayHello`, {}, { timeoutMs: 50 });
      expect(await failure(late)).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    });

    test("and headers do not both say who calls", async () => {
      const credentials = bearer("canary");
      const headers = new Headers({ authorization: "Bearer other" });
      const text = "leave out headers.authorization";
      expect(() => clientOf({ headers, credentials })).toThrow(text);
      const client = clientOf({ ...byFile, credentials });
      const error = await failure(client.unary(`${demo}/SayHello`, {}, { headers }));
      expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
      expect(error.message).toContain(text);
    });
  });

  test("headers that gRPC cannot send are refused, and what they hold is not shown", async () => {
    expect(() => clientOf({ headers: { authorization: "canary\n" } })).toThrow("header authorization");
    const error = await failure(clientOf().unary(`${demo}/SayHello`, {}, { headers: { "x-key": "canary\u0000" } }));
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    expect(inspect(error, { depth: 9 })).not.toContain("canary");
  });

  test("no secret is in what fails, nor in the client", async () => {
    const log: unknown[] = [];
    const headers = { authorization: "Bearer canary", "x-key-bin": Buffer.from("canary").toString("base64") };
    const tls = { key: clientKey, cert: clientCert };
    const client = clientOf({ ...byFile, headers, tls, log: (entry) => log.push(entry), connectTimeoutMs: 200 }, 9);
    const error = await failure(client.unary(`${demo}/SayHello`, {}, { headers: { "x-other": "canary" } }));
    const told = inspect([error, client, log], { depth: 20, showHidden: true }) + JSON.stringify([error, client, log]);
    for (const secret of ["canary", headers["x-key-bin"], "PRIVATE KEY"]) expect(told).not.toContain(secret);
  });

  describe("what it says of an error", () => {
    const root = protobuf.parse(
      `syntax = "proto3"; package google.rpc;
       message Any { string type_url = 1; bytes value = 2; }
       message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
       message Duration { int64 seconds = 1; int32 nanos = 2; }
       message RetryInfo { Duration retry_delay = 1; }
       message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
       message BadRequest { message FieldViolation { string field = 1; string description = 2; }
         repeated FieldViolation field_violations = 1; }`,
    ).root;
    const encode = (type: string, value: object): Buffer => {
      const message = root.lookupType(`google.rpc.${type}`);
      return Buffer.from(message.encode(message.fromObject(value)).finish());
    };
    const any = (type: string, value: object): object => ({
      typeUrl: `type.googleapis.com/google.rpc.${type}`,
      value: encode(type, value),
    });

    test.each([
      [3, "invalid_argument", "rejected"],
      [5, "not_found", "rejected"],
      [7, "permission_denied", "rejected"],
      [10, "aborted", "rejected"],
      [12, "unimplemented", "rejected"],
      [16, "unauthenticated", "rejected"],
      [1, "unavailable", "unknown"],
      [2, "unknown", "unknown"],
      [4, "deadline_exceeded", "unknown"],
      [8, "resource_exhausted", "unknown"],
      [13, "internal", "unknown"],
      [14, "unavailable", "unknown"],
      [15, "data_loss", "unknown"],
    ])("status %i is %s, %s, with the server's own words", async (code, name, outcome) => {
      const error = await failure(clientOf().unary(`${demo}/Fail`, { code, message: "nötig" }));
      expect(error).toMatchObject({ code: name, outcome, message: expect.stringContaining("nötig") });
      expect(error["details"]).toEqual({ grpcStatus: code, grpcMessage: "nötig", errorDetails: [] });
    });

    test("details of google.rpc are read, others are there as bytes, and how long to wait is known", async () => {
      const details = encode("Status", {
        code: 8,
        message: "wait",
        details: [
          any("RetryInfo", { retryDelay: { seconds: 2, nanos: 500_000_000 } }),
          any("ErrorInfo", { reason: "QUOTA", domain: "demo", metadata: { limit: "5" } }),
          any("BadRequest", { fieldViolations: [{ field: "name", description: "is empty" }] }),
          { typeUrl: "type.googleapis.com/demo.v1.Hello", value: Buffer.from([1, 2]) },
          { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: Buffer.from([0xff]) },
        ],
      });
      let trailer: string | null = null;
      const onTrailers = (trailers: Headers): void => {
        trailer = trailers.get("x-trailer");
      };
      const error = await failure(
        clientOf().unary(`${demo}/Fail`, { code: 8, message: "wait", details }, { onTrailers }),
      );
      expect(error).toMatchObject({ code: "resource_exhausted", retryAfterMs: 2_500 });
      expect(error["details"]).toEqual({
        grpcStatus: 8,
        grpcMessage: "wait",
        errorDetails: [
          { type: "google.rpc.RetryInfo", value: { retryDelay: { seconds: 2, nanos: 500_000_000 } } },
          { type: "google.rpc.ErrorInfo", value: { reason: "QUOTA", domain: "demo", metadata: { limit: "5" } } },
          { type: "google.rpc.BadRequest", value: { fieldViolations: [{ field: "name", description: "is empty" }] } },
          { type: "demo.v1.Hello", value: "AQI=" },
          { type: "google.rpc.ErrorInfo", value: "/w==" },
        ],
      });
      expect(trailer).toBe("there");
    });
  });

  test("a message that does not fit its method is refused before anything is sent, and what does not fit is named", async () => {
    const client = clientOf();
    const error = await failure(client.unary(`${demo}/Echo`, { nestedOne: 5 }));
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    expect(error.message).toContain("nestedOne: object expected");
    const upload = client.clientStream(`${demo}/Sum`, { value: 1 } as unknown as object[]);
    expect(await failure(upload)).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  });

  test("an upload whose items fail is given up, and the server is told", async () => {
    const client = clientOf();
    const answered = Promise.withResolvers<void>();
    const cause = new Error("torn");
    const requests = async function* (): AsyncGenerator<object> {
      yield { text: "a" };
      await answered.promise;
      throw cause;
    };
    const lines = client.bidiStream(`${demo}/Chat`, requests(), { headers: { "x-word": "torn" } });
    const reading = (async () => {
      for await (const line of lines) answered.resolve(expect(line).toEqual({ text: "A" }));
    })();
    expect(await failure(reading)).toMatchObject({ code: "cancelled", outcome: "unknown", cause });
    expect(await client.unary(`${demo}/Noted`, { name: "torn" })).toEqual({ text: "noted" });
  });

  test("an upload that the server has read enough of is ended, and its items are told to return", async () => {
    const returned = Promise.withResolvers<void>();
    const requests = async function* (): AsyncGenerator<object> {
      try {
        for (let value = 1; ; value = -1) yield { value };
      } finally {
        returned.resolve();
      }
    };
    expect(await clientOf().clientStream(`${demo}/Sum`, requests())).toEqual({ total: "0", count: 2 });
    await returned.promise;
  });

  test("the server is told of a deadline, which ends the call on both sides", async () => {
    const client = clientOf();
    let left = 0;
    const onTrailers = (trailers: Headers): void => {
      left = Number(trailers.get("x-left"));
    };
    await client.unary(`${demo}/SayHello`, {}, { timeoutMs: 30_000, onTrailers });
    expect(left).toBeGreaterThan(20);
    expect(left).toBeLessThanOrEqual(30);
    const headers = { "x-word": "late" };
    const late = failure(client.unary(`${demo}/Wait`, { count: 3_000 }, { timeoutMs: 1_000, headers }));
    await client.unary(`${demo}/Noted`, { name: "late begun" });
    expect(await late).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    expect(await client.unary(`${demo}/Noted`, { name: "late" })).toEqual({ text: "noted" });
  });

  test("a signal cancels, and the server is told; one aborted before means that nothing is sent", async () => {
    const client = clientOf();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const call = failure(
      client.unary(`${demo}/Wait`, { count: 2_000 }, { signal, headers: { "x-word": "cancelled" } }),
    );
    await client.unary(`${demo}/Noted`, { name: "cancelled begun" });
    controller.abort(reason);
    expect(await call).toMatchObject({ code: "cancelled", outcome: "unknown", cause: reason });
    expect(await client.unary(`${demo}/Noted`, { name: "cancelled" })).toEqual({ text: "noted" });
    const before = await failure(client.unary(`${demo}/SayHello`, {}, { signal }));
    expect(before).toMatchObject({ code: "cancelled", outcome: "not-sent" });
  });

  test("leaving a stream cancels it, and the server is told", async () => {
    const client = clientOf();
    const seen: number[] = [];
    const headers = { "x-word": "left" };
    for await (const { value } of client.serverStream<{ value: number }>(`${demo}/Count`, { count: -1 }, { headers })) {
      seen.push(value);
      if (value === 3) break;
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(await client.unary(`${demo}/Noted`, { name: "left" })).toEqual({ text: "noted" });
  });

  test("a stream that is read slowly holds up the server", async () => {
    await using proxy = await proxyTo(server.port);
    const client = clientOf(byFile, proxy.port);
    const other = clientOf();
    const numbers = client.serverStream(`${demo}/Count`, { count: -1, padding: 10_000 })[Symbol.asyncIterator]();
    await numbers.next();
    let before = -1;
    // Until it stands still for a whole round of calls.
    while (before !== proxy.down) {
      before = proxy.down;
      for (let n = 0; n < 50; n++) await other.unary(`${demo}/SayHello`, {});
    }
    expect(proxy.down).toBeLessThan(8 * 1024 * 1024);
    await numbers.return?.();
  });

  test("a server that does not read holds up an upload", async () => {
    const client = clientOf();
    let made = 0;
    const requests = async function* (): AsyncGenerator<object> {
      const padding = Buffer.alloc(10_000);
      while (made < 3_000) yield { value: ++made, padding };
    };
    const held = client.clientStream(`${demo}/Hold`, requests());
    await client.unary(`${demo}/Noted`, { name: "holding" });
    let before = -1;
    while (before !== made) {
      before = made;
      for (let n = 0; n < 50; n++) await client.unary(`${demo}/SayHello`, {});
    }
    expect(made).toBeLessThan(3_000);
    await client.unary(`${demo}/Note`, { name: "release" });
    expect(await held).toEqual({ total: "0", count: 3_000 });
  });

  test("messages are compressed if told so, and read if they are", async () => {
    await using proxy = await proxyTo(server.port);
    const name = "x".repeat(1_000_000);
    const plain = clientOf(byFile, proxy.port);
    await plain.unary(`${demo}/SayHello`, { name });
    expect(proxy.up).toBeGreaterThan(1_000_000);
    expect(proxy.down).toBeLessThan(100_000);
    const before = proxy.up;
    const client = clientOf({ ...byFile, compression: "gzip" }, proxy.port);
    expect(await client.unary(`${demo}/SayHello`, { name })).toEqual({ text: `Hello, ${name}!` });
    expect(proxy.up - before).toBeLessThan(100_000);
  });

  test("a message over the limits is not sent, and one over them is not let in; others are", async () => {
    const client = clientOf({ ...byFile, maxMessageBytes: 20_000 });
    const large = client.unary(`${demo}/SayHello`, { name: "x".repeat(20_001) });
    expect(await failure(large)).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    const answer = collect(client.serverStream(`${demo}/Count`, { count: 1, padding: 20_001 }));
    expect(await failure(answer)).toMatchObject({ code: "resource_exhausted", outcome: "unknown" });
    expect(await client.unary(`${demo}/SayHello`, { name: "x".repeat(19_000) })).toBeDefined();
  });

  test("no more calls are under way than allowed", async () => {
    const client = clientOf({ ...byFile, maxCalls: 1 });
    await client.unary(`${demo}/SayHello`, {});
    const first = client.unary(`${demo}/Wait`, { count: 200 });
    expect(await failure(client.unary(`${demo}/SayHello`, {}))).toMatchObject({
      code: "resource_exhausted",
      outcome: "not-sent",
    });
    await first;
    expect(await client.unary(`${demo}/SayHello`, {})).toBeDefined();
  });

  test("interceptors are around every call, and know it by the name of its method", async () => {
    const types: string[] = [];
    const client = clientOf({
      ...byFile,
      use: [
        (next) => (call) => {
          types.push(`${call.kind} ${call.message.type}`);
          return next(call);
        },
        retry({ baseMs: 1 }),
      ],
    });
    await collect(client.serverStream(`${demo}/Count`, { count: 1 }));
    await client.unary(`${demo}/Flaky`, { key: "by an interceptor", failures: 1 });
    await client.connect();
    expect(types).toEqual([`server-stream ${demo}/Count`, `request ${demo}/Flaky`, "request grpc.connect"]);
  });

  test("a code that says to begin anew higher up is no reason to call again", async () => {
    let attempts = 0;
    const count: Interceptor = (next) => (call) => {
      attempts++;
      return next(call);
    };
    const client = clientOf({ ...byFile, retry: { baseMs: 1 }, use: [count] });
    const call = client.unary(`${demo}/Fail`, { code: 10, message: "conflict" }, { idempotent: true });
    expect(await failure(call)).toMatchObject({ code: "aborted" });
    expect(attempts).toBe(1);
  });

  test("it connects when told to, or when first used; and tells of it", async () => {
    const client = clientOf();
    const states: string[] = [];
    const off = client.onState(({ state }) => states.push(state));
    expect(client.state).toBe("idle");
    await client.connect();
    expect(client.state).toBe("open");
    await client.connect();
    const health = await client.health();
    expect(health).toEqual({ state: "open", roundTripMs: expect.any(Number) });
    await client.close();
    expect(states).toEqual(["connecting", "open", "closed"]);
    off();
    expect(await client.health()).toMatchObject({ state: "closed", lastError: { code: "unavailable" } });
  });

  test("closing lets calls end within the grace, fails those that have not, and leaves nothing open", async () => {
    await using proxy = await proxyTo(server.port);
    const client = clientOf(byFile, proxy.port);
    await client.connect();
    const short = client.unary(`${demo}/Wait`, { count: 100 });
    const long = failure(client.unary(`${demo}/Wait`, { count: 2_000 }));
    const stream = client.serverStream(`${demo}/Count`, { count: -1 })[Symbol.asyncIterator]();
    await stream.next();
    const closed = client.close({ graceMs: 500 });
    expect(await failure(client.unary(`${demo}/SayHello`, {}))).toMatchObject({ outcome: "not-sent" });
    expect(await short).toEqual({ text: "waited" });
    expect(await long).toMatchObject({ code: "unavailable", outcome: "unknown" });
    await closed;
    await failure(collect({ [Symbol.asyncIterator]: () => stream }));
    await expect.poll(() => proxy.open).toBe(0);
    expect(await failure(client.connect())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  describe("with TLS", () => {
    const secure = (options: Partial<GrpcClientOptions>, { port }: DemoServer): GrpcClient =>
      clientOf({ ...byFile, ...options, url: `grpcs://127.0.0.1:${port}` });

    test("it is called when its certificate is trusted, and else nothing is sent", async () => {
      await using safe = await demoServer(stubs.path, { cert: serverCert, key: serverKey });
      expect(await secure({ tls: { ca } }, safe).unary(`${demo}/SayHello`, { name: "Ada" })).toBeDefined();
      for (const tls of [{}, { ca, servername: "agents.example" }]) {
        const error = await failure(secure({ tls }, safe).unary(`${demo}/SayHello`, {}));
        expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
        expect(error.message).toContain("whose certificate tls.ca trusts");
      }
      const plain = clientOf({ ...byFile, connectTimeoutMs: 1_000 }, safe.port);
      expect(await failure(plain.unary(`${demo}/SayHello`, {}))).toMatchObject({
        code: "unavailable",
        outcome: "not-sent",
      });
    });

    test("a certificate of credentials is asked for anew with every connection", async () => {
      await using safe = await demoServer(stubs.path, { cert: serverCert, key: serverKey, ca });
      await using proxy = await proxyTo(safe.port);
      let own: ClientCertificate = { cert: strangerCert, key: strangerKey };
      const credentials = { certificate: () => own };
      const url = `grpcs://127.0.0.1:${proxy.port}`;
      const client = clientOf({ ...byFile, url, tls: { ca }, credentials, connectTimeoutMs: 2_000 });
      expect(await failure(client.connect())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
      own = { cert: clientCert, key: clientKey };
      expect(await client.unary(`${demo}/SayHello`, {}, { waitForReady: true, timeoutMs: 10_000 })).toBeDefined();
    });

    test("a certificate of the caller opens a server that wants one, and no other does", async () => {
      await using safe = await demoServer(stubs.path, { cert: serverCert, key: serverKey, ca });
      const own = { ca, cert: clientCert, key: clientKey };
      expect(await secure({ tls: own }, safe).unary(`${demo}/SayHello`, {})).toBeDefined();
      for (const tls of [{ ca }, { ca, cert: strangerCert, key: strangerKey }]) {
        const client = secure({ tls, connectTimeoutMs: 2_000 }, safe);
        expect(await failure(client.unary(`${demo}/SayHello`, {}))).toMatchObject({
          code: "unavailable",
          outcome: "not-sent",
        });
      }
    });
  });
});

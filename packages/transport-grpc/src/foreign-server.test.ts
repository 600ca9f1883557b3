import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type Connection, ParleyError } from "@parley/core/transport";
import { afterEach, describe, expect, test } from "vitest";
import { call, collect, failure, items, newCall } from "../test/pair.ts";
import { event, type ProtoEvent, parleyService } from "../test/protos.ts";
import { grpc } from "./index.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Unary = ServerUnaryCall<ProtoEvent, ProtoEvent>;
type Answer = sendUnaryData<ProtoEvent>;

/** A server that knows the published file, has no Channel, and no idea of a handshake. */
const implementation: UntypedServiceImplementation = {
  Request: ({ request }: Unary, answer: Answer) => {
    if (request.type.startsWith("text.echo"))
      answer(null, { ...event("text.echo.v1"), text_data: request.text_data ?? "null" });
    else answer({ code: status.NOT_FOUND, details: "no such operation" });
  },
  Notify: (_call: Unary, answer: Answer) => answer(null, {} as ProtoEvent),
  Publish: (_call: Unary, answer: Answer) => answer(null, {} as ProtoEvent),
  ServerStream: (stream: ServerWritableStream<ProtoEvent, ProtoEvent>) => {
    for (const n of [1, 2, 3]) stream.write(event("text.count.v1", n));
    if (stream.request.type === "text.torn.v1") stream.emit("error", { code: status.DATA_LOSS, details: "torn" });
    else if (stream.request.type !== "text.endless.v1") stream.end();
  },
  Subscribe: (stream: ServerWritableStream<ProtoEvent, ProtoEvent>) => {
    stream.write(event("text.status.v1", stream.request.attributes?.["subject"]?.["ce_string"]));
    stream.end();
  },
  ClientStream: (stream: ServerReadableStream<ProtoEvent, ProtoEvent>, answer: Answer) => {
    let count = -1;
    stream.on("data", () => count++);
    stream.on("end", () => answer(null, event("text.add.v1", count)));
  },
  BidiStream: (stream: ServerDuplexStream<ProtoEvent, ProtoEvent>) => {
    let first = true;
    stream.on("data", (one: ProtoEvent) => {
      if (!first) stream.write(event("text.chat.v1", JSON.parse(one.text_data as string)));
      first = false;
    });
    stream.on("end", () => stream.end());
  },
};

async function foreign(change: UntypedServiceImplementation = {}): Promise<{ connection: Connection; server: Server }> {
  const server = new Server();
  const { Channel: _none, ...methods } = parleyService;
  server.addService(methods, { ...implementation, ...change });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const connection = await grpc().connect(new URL(`grpc://127.0.0.1:${port}`));
  cleanups.push(
    () => server.forceShutdown(),
    () => connection.close({ graceMs: 0 }),
  );
  return { connection, server };
}

describe("a server with nothing but the published file", () => {
  test("is called natively, every kind", async () => {
    const { connection } = await foreign();
    expect(connection.hello).toEqual({ profile: "1" });
    expect((await call({ connection }, "request", { data: { a: [1] } })).message?.data).toEqual({ a: [1] });
    expect(await call({ connection }, "notify")).toEqual({});
    expect(await call({ connection }, "publish", { attributes: { subject: "a" } })).toEqual({});
    expect(await collect((await call({ connection }, "server-stream")).output)).toEqual([1, 2, 3]);
    const subscribed = await call({ connection }, "subscribe", { attributes: { subject: "a/#" } });
    expect(await collect(subscribed.output)).toEqual(["a/#"]);
    expect((await call({ connection }, "client-stream", { input: items(1, 2, 3) })).message?.data).toBe(3);
    expect(await collect((await call({ connection }, "bidi-stream", { input: items("a", "b") })).output)).toEqual([
      "a",
      "b",
    ]);
    expect((await connection.ping()).roundTripMs).toBeGreaterThan(0);
    expect(connection.stats().openCalls).toBe(0);
  });

  test("its statuses are errors: rejected where it answered, unknown where nobody can tell", async () => {
    const { connection } = await foreign({
      Request: ({ request }: Unary, answer: Answer) => {
        const code = Number(request.text_data);
        if (Number.isInteger(code)) answer({ code, details: `status ${code}`, metadata: new Metadata() });
        else answer({ code: status.UNIMPLEMENTED, details: "no such operation" });
      },
    });
    const expected: readonly [number, string, string][] = [
      [status.INVALID_ARGUMENT, "invalid_argument", "rejected"],
      [status.NOT_FOUND, "not_found", "rejected"],
      [status.PERMISSION_DENIED, "permission_denied", "rejected"],
      [status.UNIMPLEMENTED, "unimplemented", "rejected"],
      [status.FAILED_PRECONDITION, "failed_precondition", "rejected"],
      [status.ABORTED, "aborted", "rejected"],
      [status.UNAVAILABLE, "unavailable", "unknown"],
      [status.INTERNAL, "internal", "unknown"],
      [status.CANCELLED, "unavailable", "unknown"],
      [99, "unknown", "unknown"],
    ];
    for (const [data, code, outcome] of expected) {
      expect(await failure(call({ connection }, "request", { data }))).toMatchObject({ code, outcome });
    }
  });

  test("a stream that it tears gives its items first", async () => {
    const { connection } = await foreign();
    const { output } = await call({ connection }, "server-stream", { type: "text.torn.v1" });
    const seen: unknown[] = [];
    const error = await failure(
      (async () => {
        for await (const { data } of output ?? []) seen.push(data);
      })(),
    );
    expect(seen).toEqual([1, 2, 3]);
    expect(error).toMatchObject({ code: "data_loss", outcome: "unknown" });
  });

  test("that is shut down by force leaves calls unavailable and unknown, though gRPC says that they were cancelled", async () => {
    const begun = Promise.withResolvers<void>();
    const { connection, server } = await foreign({ Notify: () => begun.resolve() });
    const waiting = failure(call({ connection }, "notify"));
    const { output } = await call({ connection }, "server-stream", { type: "text.endless.v1" });
    const stream = failure(collect(output));
    await begun.promise;
    server.forceShutdown();
    expect(await waiting).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(await stream).toMatchObject({ code: "unavailable", outcome: "unknown" });
    // There was a connection once, and none for this call.
    expect(await failure(call({ connection }, "request"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  test("that answers what is no event is at fault, and may have acted", async () => {
    const { connection } = await foreign({
      Notify: (_call: Unary, answer: Answer) => answer(null, {} as ProtoEvent),
      ClientStream: (_stream: unknown, answer: Answer) => answer(null, {} as ProtoEvent),
      ServerStream: (stream: ServerWritableStream<ProtoEvent, ProtoEvent>) => void stream.write({} as ProtoEvent),
    });
    expect(await failure(call({ connection }, "client-stream", { input: items(1) }))).toMatchObject({
      code: "internal",
      outcome: "unknown",
    });
    const { output } = await call({ connection }, "server-stream");
    expect(await failure(collect(output))).toMatchObject({ code: "internal", outcome: "unknown" });
  });

  test("hears of the deadline and the cancellation", async () => {
    const deadline = Promise.withResolvers<number>();
    const cancelled = Promise.withResolvers<void>();
    const { connection } = await foreign({
      Notify: (one: Unary) => {
        deadline.resolve(Number(one.getDeadline()) - Date.now());
        one.on("cancelled", () => cancelled.resolve());
      },
    });
    const one = newCall("notify", { timeoutMs: 30_000 });
    const answer = failure(connection.call(one));
    const left = await deadline.promise;
    expect(left).toBeGreaterThan(25_000);
    expect(left).toBeLessThan(30_001);
    one.abort(new ParleyError("cancelled", "enough"));
    await cancelled.promise;
    expect(await answer).toMatchObject({ code: "cancelled" });
  });
});

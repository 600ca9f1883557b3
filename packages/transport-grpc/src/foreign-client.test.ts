import { type Client, credentials, Metadata, type requestCallback, type ServiceError, status } from "@grpc/grpc-js";
import { type Call, HELLO, type Listener, ParleyError, reply } from "@parley/core/transport";
import { afterEach, describe, expect, test } from "vitest";
import { anyPort, collect, echo, numbers } from "../test/pair.ts";
import {
  event,
  HealthClient,
  ParleyClient,
  type ParleyService,
  type ProtoEvent,
  type ReflectionAnswer,
  ReflectionClient,
} from "../test/protos.ts";
import { grpc } from "./index.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serving(
  handler: (call: Call) => ReturnType<typeof echo> = echo,
): Promise<{ listener: Listener; client: Client & ParleyService }> {
  const listener = await grpc().listen(anyPort, (one) => (one.message.type === HELLO ? echo(one) : handler(one)));
  const client = new ParleyClient(listener.url.host, credentials.createInsecure());
  cleanups.push(
    () => listener.close({ graceMs: 0 }),
    () => client.close(),
  );
  return { listener, client };
}

/** The answer of a unary method. */
const answerOf = <Answer = ProtoEvent>(make: (done: requestCallback<Answer>) => unknown): Promise<Answer> =>
  new Promise((resolve, reject) => make((error, answer) => (error ? reject(error) : resolve(answer as Answer))));

const failureOf = (promise: Promise<unknown>): Promise<ServiceError> =>
  promise.then(
    () => {
      throw new Error("resolved");
    },
    (error: ServiceError) => error,
  );

async function readAll(stream: AsyncIterable<ProtoEvent>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const one of stream) values.push(JSON.parse(one.text_data as string));
  return values;
}

describe("a client with nothing but the published file", () => {
  test("makes every kind of call", async () => {
    const seen: Call[] = [];
    const { client } = await serving((one) => {
      seen.push(one);
      return echo(one);
    });
    const answer = await answerOf((done) => client.Request(event("text.echo.v1", { a: 1 }), done));
    expect(JSON.parse(answer.text_data as string)).toEqual({ a: 1 });
    expect(answer.attributes).toMatchObject({ parley: { ce_string: "1" }, kind: { ce_string: "reply" } });
    expect(await answerOf((done) => client.Notify(event("text.note.v1", 1), done))).toEqual({});
    expect(await answerOf((done) => client.Publish(event("text.status.v1", 1, { subject: "a/b" }), done))).toEqual({});
    expect(await readAll(client.ServerStream(event("text.count.v1", 3)))).toEqual([1, 2, 3]);
    expect(await readAll(client.Subscribe(event("text.status.v1", 2, { subject: "a/+" })))).toEqual([1, 2]);
    const uploaded = answerOf((done) => {
      const call = client.ClientStream(done);
      for (const data of [null, 1, 2]) call.write(event("text.add.v1", data));
      call.end();
    });
    expect(JSON.parse((await uploaded).text_data as string)).toEqual([1, 2]);
    const duplex = client.BidiStream();
    for (const data of [null, "a", "b"]) duplex.write(event("text.chat.v1", data));
    duplex.end();
    expect(await readAll(duplex)).toEqual(["a", "b"]);
    expect(seen.map(({ kind }) => kind)).toEqual([
      "request",
      "notify",
      "publish",
      "server-stream",
      "subscribe",
      "client-stream",
      "bidi-stream",
    ]);
    expect(seen[0]?.context.peer).toMatchObject({ transport: "grpc" });
  });

  test("is told an error by status, message and details", async () => {
    const { client } = await serving(() => {
      throw new ParleyError("not_found", "no such thing", { details: { id: 7 } });
    });
    const error = await failureOf(answerOf((done) => client.Request(event("text.echo.v1"), done)));
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: "no such thing" });
    expect(error.metadata.get("grpc-status-details-bin")[0]?.toString("latin1")).toContain('"details":{"id":7}');
    const stream = await failureOf(readAll(client.ServerStream(event("text.count.v1", 3))));
    expect(stream).toMatchObject({ code: status.NOT_FOUND });
  });

  test("is bound by its own deadline, and the sooner of two counts", async () => {
    const aborted: Promise<unknown>[] = [];
    const deadlines: number[] = [];
    const { client } = await serving((one) => {
      aborted.push(new Promise((resolve) => one.onAbort({ callAborted: resolve })));
      deadlines.push((one.deadline as number) - performance.now());
      return new Promise(() => {});
    });
    const late = { deadline: Date.now() + 1_000 };
    const error = await failureOf(
      answerOf((done) => client.Request(event("text.echo.v1"), new Metadata(), late, done)),
    );
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    expect(await aborted[0]).toMatchObject({ code: "deadline_exceeded" });
    const sooner = { ...event("text.echo.v1"), attributes: { timeoutms: { ce_integer: 500 } } };
    const far = { deadline: Date.now() + 60_000 };
    expect((await failureOf(answerOf((done) => client.Request(sooner, new Metadata(), far, done)))).code).toBe(
      status.DEADLINE_EXCEEDED,
    );
    expect(deadlines[0]).toBeLessThan(1_001);
    expect(deadlines[1]).toBeLessThan(501);
  });

  test("cancels", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { client } = await serving((one) => {
      one.onAbort({ callAborted: resolve });
      return { output: numbers(one, Number.POSITIVE_INFINITY) };
    });
    const stream = client.ServerStream(event("text.count.v1"));
    stream.on("error", () => {});
    stream.once("data", () => stream.cancel());
    expect(await promise).toMatchObject({ code: "cancelled" });
  });

  test("continues the trace of its metadata", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let seen: Call | undefined;
    const { client } = await serving((one) => {
      seen = one;
      return echo(one);
    });
    const metadata = new Metadata();
    metadata.set("traceparent", traceparent);
    await answerOf((done) => client.Request(event("text.echo.v1", 1), metadata, done));
    expect(seen?.message.traceparent).toBe(traceparent);
  });

  test.each<[string, ProtoEvent, string]>([
    ["an event of another kind", event("text.echo.v1", 1, { kind: "notify" }), "kind notify"],
    ["no event", { id: "", source: "", spec_version: "1.0", type: "" }, "id"],
    ["data that is no JSON", { ...event("text.echo.v1"), text_data: "{" }, "JSON"],
  ])("that sends %s is told so, and the server goes on", async (_what, message, told) => {
    const { client, listener } = await serving();
    const error = await failureOf(answerOf((done) => client.Request(message, done)));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toContain(told);
    const upload = await failureOf(
      answerOf((done) => {
        const call = client.ClientStream(done);
        call.write(message);
        call.end();
      }),
    );
    expect(upload.code).toBe(status.INVALID_ARGUMENT);
    expect(listener.stats()).toMatchObject({ refusedMessages: 2, openCalls: 0 });
    expect((await answerOf((done) => client.Request(event("text.echo.v1", 1), done))).text_data).toBe("1");
  });

  test("that breaks its stream off in the middle is noticed: the input does not end cleanly", async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    const { client } = await serving(async (one) => {
      begun.resolve();
      await collect(one.input).then(ended.resolve, ended.reject);
      return { message: reply(one.message, "/agent", 1) };
    });
    const upload = client.ClientStream(() => {});
    upload.write(event("text.add.v1"));
    upload.write(event("text.add.v1", 1));
    await begun.promise;
    upload.cancel();
    await expect(ended.promise).rejects.toMatchObject({ code: "cancelled" });
  });

  test("that sends an item that is none loses the call", async () => {
    const aborted = Promise.withResolvers<unknown>();
    const { client } = await serving(async (one) => {
      one.onAbort({ callAborted: aborted.resolve });
      return { message: reply(one.message, "/agent", await collect(one.input)) };
    });
    const error = await failureOf(
      answerOf((done) => {
        const call = client.ClientStream(done);
        call.write(event("text.add.v1"));
        call.write({ ...event("text.add.v1"), text_data: "{" });
      }),
    );
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(await aborted.promise).toMatchObject({ code: "invalid_argument" });
  });

  test("that sends the opener of a stream and nothing else is told that it is missing", async () => {
    const { client } = await serving();
    const error = await failureOf(answerOf((done) => client.ClientStream(done).end()));
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringContaining("first message") });
  });

  test("gets a message over the limit back as resource_exhausted, also one that was small on the wire", async () => {
    const listener = await grpc({
      limits: { maxMessageBytes: 70_000, maxCalls: 10, windowItems: 4, windowBytes: 1_000 },
    }).listen(anyPort, echo);
    cleanups.push(() => listener.close({ graceMs: 0 }));
    for (const compression of [0, 2]) {
      const client = new ParleyClient(listener.url.host, credentials.createInsecure(), {
        "grpc.default_compression_algorithm": compression,
      });
      cleanups.push(() => client.close());
      for (const size of [80_000, 5_000_000]) {
        const error = await failureOf(
          answerOf((done) => client.Request(event("text.echo.v1", "x".repeat(size)), done)),
        );
        expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
      }
    }
  });
});

describe("the traps of grpc-js", () => {
  test("a long error message costs its own length, and not the next call", async () => {
    const { client } = await serving((one) => {
      if (one.message.data === 1) return echo(one);
      throw new ParleyError("internal", "Grüße ".repeat(10_000), { details: { text: "d".repeat(60_000) } });
    });
    for (let n = 0; n < 3; n++) {
      const error = await failureOf(answerOf((done) => client.Request(event("text.echo.v1", 0), done)));
      expect(error.code).toBe(status.INTERNAL);
      const bytes =
        encodeURI(error.details).length + ((error.metadata.get("grpc-status-details-bin")[0] as Buffer).length * 4) / 3;
      expect(bytes).toBeLessThan(8 * 1024);
      expect((await answerOf((done) => client.Request(event("text.echo.v1", 1), done))).text_data).toBe("1");
    }
  });

  test("a call that has succeeded is not aborted by its own end", async () => {
    const aborted: unknown[] = [];
    const { client } = await serving((one) => {
      one.onAbort({ callAborted: (reason) => aborted.push(reason) });
      return echo(one);
    });
    for (let n = 0; n < 20; n++) {
      await answerOf((done) => client.Request(event("text.echo.v1", n), done));
      await readAll(client.ServerStream(event("text.count.v1", 2)));
    }
    // The word of the last one's end has come when the next is answered.
    await answerOf((done) => client.Request(event("text.echo.v1", 0), done));
    expect(aborted).toEqual([]);
  });
});

describe("health", () => {
  test("is served: of the whole, of the service, and of none that is not there", async () => {
    const { listener } = await serving();
    const client = new HealthClient(listener.url.host, credentials.createInsecure());
    cleanups.push(() => client.close());
    const check = (service: string): Promise<unknown> => answerOf((done) => client.Check({ service }, done));
    for (const service of ["", "parley.v1.Parley"]) expect(await check(service)).toEqual({ status: 1 });
    expect((await failureOf(check("other.Service"))).code).toBe(status.NOT_FOUND);
  });

  test("a watcher is told when the listener closes", async () => {
    const { listener } = await serving();
    const client = new HealthClient(listener.url.host, credentials.createInsecure());
    cleanups.push(() => client.close());
    const states: unknown[] = [];
    const watch = client.Watch({ service: "" });
    for await (const state of watch) {
      if (states.push(state) === 1) listener.close({ graceMs: 0 });
    }
    expect(states).toEqual([{ status: 1 }, { status: 2 }]);
  });
});

test("reflection lists the services, and gives the files of a symbol with all they import", async () => {
  const { listener } = await serving();
  const client = new ReflectionClient(listener.url.host, credentials.createInsecure());
  cleanups.push(() => client.close());
  const call = client.ServerReflectionInfo();
  const questions = [
    { list_services: "" },
    { file_containing_symbol: "parley.v1.Parley" },
    { file_containing_symbol: "parley.v1.Parley.Request" },
    { file_by_filename: "parley/v1/cloudevents.proto" },
    { file_containing_symbol: "nobody.Knows" },
    { all_extension_numbers_of_type: "io.cloudevents.v1.CloudEvent" },
  ];
  for (const question of questions) call.write(question);
  call.end();
  const answers: ReflectionAnswer[] = [];
  for await (const answer of call) answers.push(answer);
  expect(answers[0]?.list_services_response?.service.map(({ name }) => name)).toContain("parley.v1.Parley");
  expect(answers.map((one) => one.file_descriptor_response?.file_descriptor_proto.length)).toEqual([
    undefined,
    5,
    5,
    3,
    undefined,
    undefined,
  ]);
  expect(answers.slice(4).map((one) => one.error_response?.error_code)).toEqual([status.NOT_FOUND, status.NOT_FOUND]);
  expect(answers[1]?.original_request).toMatchObject(questions[1] as object);
});

test("uploads that the handler does not read leave nothing open", async () => {
  const { client, listener } = await serving((one) => ({ output: numbers(one, 3) }));
  for (let n = 0; n < 50; n++) {
    const duplex = client.BidiStream();
    duplex.on("error", () => {});
    duplex.write(event("text.chat.v1"));
    for (let k = 0; k < 5; k++) duplex.write(event("text.chat.v1", k));
    await readAll(duplex);
    duplex.end();
  }
  expect(listener.stats().openCalls).toBe(0);
});

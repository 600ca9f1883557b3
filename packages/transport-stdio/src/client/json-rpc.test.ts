import { ParleyError } from "@parley/core/transport";
import { describe, expect, it, vi } from "vitest";
import { failure, fixture, logging, speaking } from "../../test/harness.ts";
import type { StdioClient, StdioClientOptions } from "../index.ts";

function server(options: Partial<StdioClientOptions<"jsonrpc">> = {}): StdioClient<"jsonrpc"> {
  return speaking({ command: [process.execPath, fixture("json-rpc.ts")], format: "jsonrpc", ...options });
}

/** Has the server write something. */
const say = (client: StdioClient<"jsonrpc">, line: object): Promise<unknown> =>
  client.request({ method: "say", params: { line } });

describe("requests", () => {
  it("are answered in any order, by name, by place or without parameters", async () => {
    const client = server();
    const held = [{ a: 1 }, ["b", 2], undefined].map((params) => client.request({ method: "hold", params }));
    await client.request({ method: "release" });
    expect(await Promise.all(held)).toEqual([{ a: 1 }, ["b", 2], null]);
  });

  it.each([
    [-32700, "invalid_argument"],
    [-32600, "invalid_argument"],
    [-32601, "unimplemented"],
    [-32602, "invalid_argument"],
    [-32603, "internal"],
    [-32002, "unknown"],
    [1, "unknown"],
  ])("that are answered with error %i fail with %s, rejected, with what came", async (code, expected) => {
    const error = await failure(server().request({ method: "fail", params: { code, message: "no", data: [1] } }));
    expect(error).toMatchObject({ code: expected, outcome: "rejected", details: { jsonrpcCode: code, data: [1] } });
    expect(error.message).toContain(`node answered fail with error ${code}: no`);
  });

  it("that were given up are told to the program in its own way, if they were sent; late answers are dropped", async () => {
    const client = server({
      cancellation: ({ id, method, error }) => ({ method: "cancelled", params: { id, method, code: error.code } }),
    });
    await client.connect();
    const late = failure(client.request({ method: "hold" }, { timeoutMs: 500 }));
    const controller = new AbortController();
    const dropped = failure(client.request({ method: "hold" }, { signal: controller.signal }));
    await client.request({ method: "echo" });
    controller.abort();
    expect(await dropped).toMatchObject({ code: "cancelled", outcome: "unknown" });
    expect(await late).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    const never = failure(client.request({ method: "hold" }, { signal: AbortSignal.abort() }));
    expect(await never).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    const told = [await client.receive(), await client.receive()];
    // Which of them comes first is up to the clock.
    expect(new Set(told.map(({ params }) => params))).toEqual(
      new Set([
        { method: "cancelled", params: { id: 2, method: "hold", code: "cancelled" } },
        { method: "cancelled", params: { id: 1, method: "hold", code: "deadline_exceeded" } },
      ]),
    );
    await client.request({ method: "release" });
    expect(client.stats().lateMessages).toBe(2);
  });

  it("end with the program, with how it ended", async () => {
    const client = server();
    const held = failure(client.request({ method: "hold" }));
    const error = await failure(client.request({ method: "die" }));
    for (const one of [error, await held])
      expect(one).toMatchObject({ code: "unavailable", outcome: "unknown", details: { exitCode: 7 } });
  });

  it("without a method are not sent", async () => {
    // What callers without types write.
    const message = { params: {} } as unknown as { method: string };
    await expect(server().request(message)).rejects.toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  });

  it("are so many at a time, and no more", async () => {
    const client = server({ maxCalls: 2 });
    const held = [1, 2].map(() => failure(client.request({ method: "hold" })));
    expect(await failure(client.request({ method: "echo" }))).toMatchObject({
      code: "resource_exhausted",
      outcome: "not-sent",
    });
    await client.close({ graceMs: 0 });
    expect(await Promise.all(held)).toMatchObject([{ code: "unavailable" }, { code: "unavailable" }]);
  });
});

it("a batch of more requests than may be under way is not sent", async () => {
  const client = server({ maxCalls: 2 });
  const error = await failure(client.batch([{ method: "echo" }, { method: "echo" }, { method: "echo" }]));
  expect(error).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
});

describe("notifications", () => {
  it("go both ways", async () => {
    const client = server();
    await client.send({ method: "started", params: ["x"] });
    expect(await client.receive()).toEqual({
      method: "notified",
      params: { method: "started", params: ["x"] },
    });
    await client.request({ method: "notify", params: { count: 2 } });
    await client.end();
    const news: unknown[] = [];
    for await (const { params } of client) news.push(params);
    expect(news).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it("that nobody reads hold up no answer: the oldest are dropped, and counted", async () => {
    const client = server({ maxUnreadBytes: 1_000 });
    await client.request({ method: "notify", params: { count: 100 } });
    expect(await client.request({ method: "echo", params: [1] })).toEqual([1]);
    await client.end();
    const news: unknown[] = [];
    for await (const { params } of client) news.push(params);
    expect(news.at(-1)).toEqual({ n: 100 });
    expect(news.length).toBeLessThan(25);
    expect(client.stats().droppedMessages).toBe(100 - news.length);
  });
});

describe("requests of the program", () => {
  const answerTo = async (options: Partial<StdioClientOptions<"jsonrpc">>, params?: object) => {
    const client = server(options);
    await say(client, { jsonrpc: "2.0", id: "s-1", method: "ask", ...(params ? { params } : {}) });
    return (await client.receive()).params;
  };

  it("are answered by the handler, at once or later, with null for nothing", async () => {
    const onRequest = vi.fn(({ params }) => params);
    expect(await answerTo({ onRequest }, { a: 1 })).toEqual({
      message: { jsonrpc: "2.0", id: "s-1", result: { a: 1 } },
    });
    expect(onRequest).toHaveBeenCalledWith(
      { id: "s-1", method: "ask", params: { a: 1 } },
      { signal: expect.any(AbortSignal) },
    );
    const later = { onRequest: async () => {} };
    expect(await answerTo(later)).toEqual({ message: { jsonrpc: "2.0", id: "s-1", result: null } });
  });

  it("without a handler are answered with method not found", async () => {
    expect(await answerTo({})).toMatchObject({ message: { id: "s-1", error: { code: -32601 } } });
  });

  it("are answered with what the handler throws: its code and details, or nothing of it", async () => {
    const known = () => {
      throw new ParleyError("not_found", "no such root", { details: { root: "/" } });
    };
    expect(await answerTo({ onRequest: known })).toMatchObject({
      message: { id: "s-1", error: { code: -32005, message: "no such root", data: { root: "/" } } },
    });
    const { log, entries } = logging();
    const secret = { onRequest: () => Promise.reject(new Error("/home/secret")), log };
    expect(await answerTo(secret)).toEqual({
      message: {
        jsonrpc: "2.0",
        id: "s-1",
        error: { code: -32603, message: "the handler failed; the option log of its agent tells why" },
      },
    });
    expect(entries).toContainEqual(expect.objectContaining({ level: "error", event: "handler-failed" }));
    expect(await answerTo({ onRequest: () => 1n })).toMatchObject({ message: { error: { code: -32603 } } });
  });

  it("are so many at a time; more are refused", async () => {
    const client = server({ maxCalls: 2, onRequest: () => new Promise(() => {}) });
    for (const id of [1, 2, 3]) await say(client, { jsonrpc: "2.0", id, method: "ask" });
    expect((await client.receive()).params).toMatchObject({ message: { id: 3, error: { code: -32008 } } });
  });

  it("hear of the end of the program", async () => {
    const aborted = Promise.withResolvers<unknown>();
    const client = server({
      onRequest: (_, { signal }) => {
        signal.addEventListener("abort", () => aborted.resolve(signal.reason));
        return new Promise(() => {});
      },
    });
    await say(client, { jsonrpc: "2.0", id: 1, method: "ask" });
    await failure(client.request({ method: "die" }));
    expect(await aborted.promise).toMatchObject({ code: "unavailable", details: { exitCode: 7 } });
  });

  it("in a batch are answered in one", async () => {
    const client = server({ onRequest: ({ params }) => params });
    const ask = (id: number) => ({ jsonrpc: "2.0", id, method: "ask", params: [id] });
    const news = { jsonrpc: "2.0", method: "news" };
    await say(client, [ask(1), news, ask(2)]);
    expect(await client.receive()).toEqual({ method: "news" });
    expect((await client.receive()).params).toEqual({ message: { jsonrpc: "2.0", id: 1, result: [1] } });
    expect((await client.receive()).params).toEqual({ message: { jsonrpc: "2.0", id: 2, result: [2] } });
  });
});

describe("a batch", () => {
  it("is one line, and each of its requests has its own result or error", async () => {
    const results = await server().batch([
      { method: "echo", params: [1] },
      { method: "none" },
      { method: "echo", params: [3] },
    ]);
    expect(results).toEqual([
      { status: "fulfilled", value: [1] },
      { status: "rejected", reason: expect.objectContaining({ code: "unimplemented", outcome: "rejected" }) },
      { status: "fulfilled", value: [3] },
    ]);
  });

  it("of nothing is nothing", async () => {
    expect(await server().batch([])).toEqual([]);
  });

  it("that is not answered whole in time fails", async () => {
    const client = server({ cancellation: ({ id }) => ({ method: "cancelled", params: [id] }) });
    // A program that is starting would take of the time.
    await client.request({ method: "echo" });
    const error = await failure(client.batch([{ method: "echo" }, { method: "hold" }], { timeoutMs: 1_000 }));
    expect(error).toMatchObject({ code: "deadline_exceeded", outcome: "unknown" });
    expect((await client.receive()).params).toEqual({ method: "cancelled", params: [3] });
  });
});

it("what is no JSON-RPC 2.0 is noise, counted", async () => {
  const client = server();
  await client.request({ method: "noise" });
  expect(client.stats()).toEqual({ starts: 1, refusedMessages: 4, lateMessages: 0, droppedMessages: 0 });
});

it("an error without an id is told to the log, and fails nothing", async () => {
  const { log, entries } = logging();
  const client = server({ log });
  await say(client, { jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error" } });
  expect(client.stats().lateMessages).toBe(1);
  expect(entries).toContainEqual(expect.objectContaining({ event: "unread-message" }));
});

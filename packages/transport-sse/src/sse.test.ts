import { request as httpRequest } from "node:http";
import { ParleyError, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import {
  announcing,
  answers,
  collect,
  eventsOf,
  items,
  make,
  rejection,
  stranger,
  webServer,
  wire,
} from "../test/wires.ts";
import { sse, sseLimits } from "./index.ts";

const echo = announcing({ "test.echo": "server-stream" }, (call) => {
  switch (call.kind) {
    case "request":
      return { message: reply(call.message, "/agent", call.message.data) };
    case "server-stream":
      return { output: answers(call, call.message.data as unknown[]) };
    case "client-stream":
      return collect(call.input).then((all) => ({ message: reply(call.message, "/agent", all) }));
    case "bidi-stream":
      return { output: answers(call, dataOf(call.input)) };
    default:
      return {};
  }
});

async function* dataOf(input: AsyncIterable<{ readonly data?: unknown }> | undefined) {
  for await (const { data } of input ?? []) yield data;
}

test("all kinds of call with one answer or many come and go", async () => {
  await using it = await wire(echo);
  expect((await make(it, "request", { data: "line\r\nline\u2028\n\n" })).message?.data).toBe("line\r\nline\u2028\n\n");
  expect(await make(it, "notify", { data: 1 })).toEqual({});
  expect(await make(it, "publish", { data: 1, subject: "a" })).toEqual({});
  const values = [1, null, "data: x\n\n", "\r", { id: "\n" }];
  expect(await collect((await make(it, "server-stream", { data: values })).output)).toEqual(values);
  expect((await make(it, "client-stream", { input: items(values) })).message?.data).toEqual(values);
  expect(await collect((await make(it, "bidi-stream", { input: items(values) })).output)).toEqual(values);
  expect(it.listener.stats().openCalls).toBe(0);
});

const structured = { "content-type": "application/cloudevents+json" };
const opener = (kind: string, data: unknown): string =>
  JSON.stringify({ specversion: "1.0", id: "1", source: "/me", type: "test.echo.v1", kind, data });

test("items have no name, the end is an event end, and line breaks in data stay in one event", async () => {
  await using it = await wire(echo);
  const headers = { ...structured, accept: "text/event-stream" };
  const body = opener("server-stream", ["a\r\nb\rc\n\nd\u2028\0", "data: x"]);
  const reading = await stranger(it.url, { path: "/test.echo.v1", headers, body });
  expect(reading).toMatchObject({
    status: 200,
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
  const events = eventsOf(await reading.closed);
  expect(events.map(({ event }) => event)).toEqual([undefined, undefined, "end"]);
  expect(events.map(({ data }) => JSON.parse(data ?? "").data)).toEqual([
    "a\r\nb\rc\n\nd\u2028\0",
    "data: x",
    undefined,
  ]);
});

test.each([
  ["text/event-stream", "text/event-stream"],
  ["application/cloudevents+json, text/event-stream", "application/cloudevents+json"],
  ["*/*", "application/cloudevents+json"],
])("a request whose caller reads %s is answered by %s", async (accept, type) => {
  await using it = await wire(echo);
  const body = opener("request", "x");
  const reading = await stranger(it.url, { path: "/test.echo.v1", headers: { ...structured, accept }, body });
  expect(reading).toMatchObject({ status: 200, headers: { "content-type": type } });
  expect(await reading.closed).toContain('"kind":"reply","data":"x"');
});

test("a refusal keeps its status, a failure after items is an event fault", async () => {
  const handler = announcing({}, (call) => {
    if (call.message.data === "no") throw new ParleyError("permission_denied", "not you");
    return {
      output: (async function* () {
        if (call.message.data === "nothing") throw new ParleyError("out_of_range", "not even one");
        yield* answers(call, [1]);
        throw new ParleyError("aborted", "no more");
      })(),
    };
  });
  await using it = await wire(handler);
  const headers = { ...structured, accept: "text/event-stream" };
  const ask = (data: string) =>
    stranger(it.url, { path: "/test.echo.v1", headers, body: opener("server-stream", data) });
  expect(await ask("no")).toMatchObject({ status: 403, headers: structured });
  const [first, last] = eventsOf(await (await ask("yes")).closed);
  expect(first).not.toHaveProperty("event");
  expect(last).toMatchObject({ event: "fault" });
  const { output } = await make(it, "server-stream");
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const { data } of output ?? []) seen.push(data);
  })();
  expect(await rejection(reading)).toMatchObject({ code: "aborted" });
  expect(seen).toEqual([1]);
  expect(await rejection(make(it, "server-stream", { data: "no" }))).toMatchObject({ code: "permission_denied" });
  expect(await rejection(make(it, "server-stream", { data: "nothing" }))).toMatchObject({ code: "out_of_range" });
});

test("closing an answer that cannot be taken up cancels the call", async () => {
  const left = Promise.withResolvers<void>();
  const handler = announcing({}, (call) => {
    call.onAbort({ callAborted: () => left.resolve() });
    return {
      output: (async function* () {
        yield* answers(call, [1]);
        await new Promise(() => {});
      })(),
    };
  });
  await using it = await wire(handler);
  const headers = { ...structured, accept: "text/event-stream" };
  const reading = await stranger(it.url, { path: "/test.echo.v1", headers, body: opener("server-stream", 0) });
  await reading.until("data:");
  reading.leave();
  await left.promise;
});

test("a silent stream shows signs of life by comments, and is not given up", async () => {
  const go = Promise.withResolvers<void>();
  const handler = announcing({}, (call) => ({
    output: (async function* () {
      await go.promise;
      yield* answers(call, ["late"]);
    })(),
  }));
  await using it = await wire(handler, { heartbeatMs: 50 });
  const { output } = await make(it, "server-stream");
  const headers = { ...structured, accept: "text/event-stream" };
  const reading = await stranger(it.url, { path: "/test.echo.v1", headers, body: opener("subscribe", 0) });
  await reading.until(":\n\n:\n\n:\n\n:\n\n");
  go.resolve();
  expect(await collect(output)).toEqual(["late"]);
});

test("an event without end is given up at the limit", async () => {
  const hello = announcing({}, () => ({}));
  await using agent = await sse().listen(new URL("sse://127.0.0.1:0"), hello);
  // Answers the handshake as the agent does, and everything else with a line that does not end.
  using web = await webServer((request, response) => {
    if (request.url?.includes("hello")) {
      return void request.pipe(
        httpRequest({ port: agent.url.port, path: request.url, method: "POST", headers: request.headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        }),
      );
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const more = (): void => {
      while (!response.destroyed && response.write(`${"x".repeat(64 * 1024)}`));
    };
    response.write("data: ");
    response.on("drain", more);
    more();
  });
  const limits = { ...sseLimits, maxMessageBytes: 1024 * 1024 };
  await using connection = await sse({ limits }).connect(new URL(`sse://127.0.0.1:${web.port}`));
  const { output } = await make({ connection }, "server-stream");
  expect(await rejection(collect(output))).toMatchObject({ code: "resource_exhausted" });
});

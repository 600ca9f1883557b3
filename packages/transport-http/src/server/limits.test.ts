import { HELLO, reply, systemRuntime } from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, echo, failure, item, pair, rawSocket, send } from "../../test/pair.ts";
import { httpLimits } from "../index.ts";

const limits = { ...httpLimits, maxMessageBytes: 4_096 };
const JSON_BODY = { "content-type": "application/json" };

test("a body of exactly the limit passes, one byte more is refused unread", async () => {
  await using it = await pair(echo(), { limits });
  const body = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));
  const post = (bytes: number, headers = {}) =>
    send(it.url, { path: "/text.echo.v1", headers: { ...JSON_BODY, ...headers }, body: body(bytes) });
  expect((await post(4_096)).status).toBe(200);
  expect(await post(4_097)).toMatchObject({
    status: 413,
    text: expect.stringContaining('"code":"resource_exhausted"'),
  });
  expect((await post(4_097, { "transfer-encoding": "chunked" })).status).toBe(413);
  expect((await post(4_096, { "transfer-encoding": "chunked" })).status).toBe(200);
});

test("a request that has arrived and is answered leaves nothing to watch", async () => {
  await using it = await pair(echo());
  const raw = await rawSocket(it.url);
  raw.socket.write(
    "POST /text.echo.v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
  );
  await raw.until("100 Continue");
  await expect.poll(() => systemRuntime.deadlines.size).toBe(1);
  raw.socket.write("1");
  await raw.until("200 OK");
  await expect.poll(() => systemRuntime.deadlines.size).toBe(0);
  raw.socket.destroy();
});

test("a length that is a lie is refused by its own word", async () => {
  await using it = await pair(echo(), { limits });
  const raw = await rawSocket(it.url);
  raw.socket.write(
    "POST /text.echo.v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2147483648\r\n\r\n{",
  );
  expect(await raw.until("resource_exhausted")).toMatch(/^HTTP\/1.1 413/);
  raw.socket.destroy();
});

test("a body without end is cut at the limit, and its connection is closed", async () => {
  await using it = await pair(echo(), { limits });
  const raw = await rawSocket(it.url);
  raw.socket.write(
    "POST /text.echo.v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  const piece = `4000\r\n${"x".repeat(0x4000)}\r\n`;
  const more = (): void => {
    while (!raw.socket.destroyed && raw.socket.write(piece));
  };
  raw.socket.on("drain", more);
  more();
  expect(await raw.closed).toMatch(/^HTTP\/1.1 413/);
});

test("a line without end is cut at the limit, in uploads and in answers", async () => {
  await using it = await pair(echo(), { limits });
  const raw = await rawSocket(it.url);
  raw.socket.write(
    "POST /text.echo.v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/cloudevents+ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  raw.socket.write(`4000\r\n${"x".repeat(0x4000)}\r\n`);
  expect(await raw.until("resource_exhausted")).toMatch(/^HTTP\/1.1 429/);
  raw.socket.destroy();
});

test("the caller knows what its peer bears, and refuses more before it is sent", async () => {
  let calls = 0;
  await using it = await pair(
    (one) => {
      if (one.message.type !== HELLO) calls++;
      return echo()(one);
    },
    { limits },
  );
  expect(await failure(call(it, "request", { data: "x".repeat(5_000) }))).toMatchObject({
    code: "resource_exhausted",
    outcome: "not-sent",
  });
  expect(calls).toBe(0);
  expect((await call(it, "request", { data: "x" })).message?.data).toBe("x");
});

test("an answer over the caller's limit is refused, and the connection goes on", async () => {
  await using it = await pair(
    (one) => {
      if (one.kind === "request")
        return {
          message: reply(one.message, "/agent", one.message.data === "long" ? "x".repeat(5_000) : { profiles: ["1"] }),
        };
      return {
        output: (async function* () {
          yield item(one, 1, "x");
          yield item(one, 2, "x".repeat(5_000));
        })(),
      };
    },
    {},
    { limits },
  );
  expect(await failure(call(it, "request", { data: "long" }))).toMatchObject({
    code: "resource_exhausted",
    outcome: "unknown",
  });
  const { output } = await call(it, "server-stream");
  const iterator = output?.[Symbol.asyncIterator]();
  const values = [
    await iterator?.next().then(({ value }) => value?.data),
    await failure(iterator?.next() ?? Promise.resolve()),
  ];
  expect(values).toMatchObject(["x", { code: "resource_exhausted", outcome: "unknown" }]);
  expect((await call(it, "request")).message).toBeDefined();
});

test("calls over the limit are refused as not sent, and the others are untouched", async () => {
  const waiting: (() => void)[] = [];
  await using it = await pair(
    (one) => {
      if (one.message.type !== "text.echo.v1") return echo()(one);
      return new Promise((resolve) => waiting.push(() => resolve({ message: reply(one.message, "/agent") })));
    },
    { limits: { ...httpLimits, maxCalls: 3 } },
  );
  const three = [1, 2, 3].map(() => call(it, "request"));
  await expect.poll(() => waiting.length).toBe(3);
  // The caller knows the limit; another one does not.
  expect(await failure(call(it, "request"))).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
  const refused = await send(it.url, { path: "/text.echo.v1", headers: JSON_BODY, body: "1" });
  expect(refused).toMatchObject({
    status: 429,
    headers: { "retry-after": "1" },
    text: expect.stringContaining('"outcome":"not-sent"'),
  });
  for (const answer of waiting) answer();
  expect(await Promise.all(three)).toHaveLength(3);
  expect((await send(it.url, { path: "/healthz", method: "GET" })).status).toBe(200);
});

test("heads and bodies that trickle are given up", async () => {
  await using it = await pair(echo(), { requestTimeoutMs: 200 });
  const body = await rawSocket(it.url);
  body.socket.write(
    "POST /text.echo.v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
  );
  expect(await body.until("deadline_exceeded")).toMatch(/^HTTP\/1.1 408/);
  const upload = await rawSocket(it.url);
  upload.socket.write(
    "POST /text.echo.v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/cloudevents+ndjson\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
  );
  expect(await upload.until("deadline_exceeded")).toMatch(/^HTTP\/1.1 408/);
  // What goes on trickling after its answer is closed as well.
  expect(await body.closed).toMatch(/^HTTP\/1.1 408/);
  const head = await rawSocket(it.url);
  head.socket.write("POST /text.echo.v1 HTTP/1.1\r\nHost:");
  expect(await head.closed).toMatch(/^HTTP\/1.1 408/);
});

test("messages nested too deep, or no text at all, reach no handler", async () => {
  let calls = 0;
  await using it = await pair((one) => {
    if (one.message.type !== HELLO) calls++;
    return echo()(one);
  });
  const event = (data: string) =>
    `{"specversion":"1.0","parley":"1","kind":"request","id":"1","source":"/x","type":"text.echo.v1","data":${data}}`;
  for (const [type, body] of [
    ["application/json", "[".repeat(100_000)],
    ["application/json", "[".repeat(65) + "]".repeat(65)],
    ["application/json", Buffer.from([0x22, 0xff, 0x22])],
    ["application/json", Buffer.from("\ufeff1")],
    ["application/cloudevents+json", event("[".repeat(100_000))],
    ["application/cloudevents+json", event('"x","id":"2"')],
    ["application/cloudevents+json", Buffer.from(event('"\xff"'), "latin1")],
    ["application/cloudevents+json", "null"],
    ["application/cloudevents+json", ""],
    ["application/cloudevents+json", event("1").replace("request", "reply")],
  ] as const) {
    const answer = await send(it.url, { path: "/text.echo.v1", headers: { "content-type": type }, body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "invalid_argument" });
  }
  expect(calls).toBe(0);
  expect(
    (await send(it.url, { path: "/text.echo.v1", headers: JSON_BODY, body: "[".repeat(64) + "]".repeat(64) })).status,
  ).toBe(200);
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HELLO } from "@parley/core/transport";
import { expect, test } from "vitest";
import { echo, failure, type Pair, pair, rawSocket, send } from "../../test/pair.ts";
import type { HttpOptions } from "../index.ts";
import { createHttpHandler, http } from "../index.ts";

const JSON_BODY = { "content-type": "application/json" };

/** A listener whose handler counts what reaches it. */
async function counted(options: HttpOptions = {}): Promise<Pair & { calls(): number }> {
  let calls = 0;
  const it = await pair((one) => {
    if (one.message.type !== HELLO) calls++;
    return echo({ "text.echo": "request" })(one);
  }, options);
  return { ...it, calls: () => calls, [Symbol.asyncDispose]: () => it[Symbol.asyncDispose]() };
}

test("a listener on loopback takes calls by loopback's names only", async () => {
  await using it = await counted();
  const post = (host: string) => send(it.url, { path: "/text.echo.v1", headers: { ...JSON_BODY, host }, body: "1" });
  for (const host of ["127.0.0.1", `localhost:${it.url.port}`, "LOCALHOST", "[::1]:80"])
    expect((await post(host)).status).toBe(200);
  const before = it.calls();
  for (const host of [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example:80",
    "evil.example:127.0.0.1",
    "10.0.0.1",
  ]) {
    expect((await post(host)).status).toBe(403);
  }
  expect(
    (await send(it.url, { method: "GET", path: "/.well-known/parley", headers: { host: "evil.example" } })).status,
  ).toBe(403);
  expect(it.calls()).toBe(before);
});

test("every request on a connection is held to its own host name", async () => {
  await using it = await counted();
  const raw = await rawSocket(it.url);
  const names = ["127.0.0.1", "evil.example", "localhost", "", "127.0.0.1"];
  raw.socket.write(names.map((name) => `GET /healthz HTTP/1.1\r\nHost: ${name}\r\n\r\n`).join(""));
  raw.socket.end();
  const statuses = (await raw.closed).match(/HTTP\/1\.1 \d+/g);
  expect(statuses).toEqual([200, 403, 200, 403, 200].map((status) => `HTTP/1.1 ${status}`));
});

test("other host names are taken when they are listed", async () => {
  const listener = await http({ allowedHosts: ["Agents.Example"] }).listen(new URL("http://127.0.0.1:0"), echo());
  const status = async (host: string) =>
    (await send(listener.url, { path: "/text.echo.v1", headers: { ...JSON_BODY, host }, body: "1" })).status;
  expect([await status("agents.example:8080"), await status("127.0.0.1")]).toEqual([200, 403]);
  await listener.close();
});

test("pages of other origins may not call, whatever they send", async () => {
  await using it = await counted();
  const before = it.calls();
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "" },
    { origin: `http://127.0.0.1:${Number(it.url.port) + 1}` },
    { origin: `https://evil.example`, "sec-fetch-site": "none" },
    { "sec-fetch-site": "cross-site" },
  ]) {
    const answer = await send(it.url, { path: "/text.echo.v1", headers: { ...JSON_BODY, ...headers }, body: "1" });
    expect(answer).toMatchObject({ status: 403, headers: { "content-type": "application/problem+json" } });
    expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
  }
  expect(it.calls()).toBe(before);
  const own = { ...JSON_BODY, origin: `http://127.0.0.1:${it.url.port}`, "sec-fetch-site": "same-origin" };
  expect((await send(it.url, { path: "/text.echo.v1", headers: own, body: "1" })).status).toBe(200);
});

test("a preflight gets no grant, unless the origin is listed", async () => {
  await using it = await counted({ allowedOrigins: ["https://app.example"] });
  const ask = (origin: string) =>
    send(it.url, {
      method: "OPTIONS",
      path: "/text.echo.v1",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
  const refused = await ask("https://evil.example");
  expect(refused.status).toBe(403);
  expect(refused.headers).not.toHaveProperty("access-control-allow-origin");
  expect(await ask("https://app.example")).toMatchObject({
    status: 204,
    headers: {
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-headers": "content-type",
      "access-control-allow-methods": "POST, OPTIONS",
      vary: "Origin",
    },
  });
  const post = await send(it.url, {
    path: "/text.echo.v1",
    headers: { ...JSON_BODY, origin: "https://app.example", "sec-fetch-site": "cross-site" },
    body: "1",
  });
  expect(post).toMatchObject({ status: 200, headers: { "access-control-allow-origin": "https://app.example" } });
});

test.each([
  ["PUT", "/text.echo.v1", 405, "POST, OPTIONS"],
  ["GET", "/text.echo.v1", 405, "POST, OPTIONS"],
  ["DELETE", "/text.echo.v1", 405, "POST, OPTIONS"],
  ["TRACE", "/text.echo.v1", 405, "POST, OPTIONS"],
  ["GET", "/", 405, "POST, OPTIONS"],
  ["POST", "/healthz", 405, "GET, HEAD, OPTIONS"],
  ["POST", "//", 404, undefined],
  ["POST", "//text.echo.v1", 404, undefined],
  ["POST", "/%2e%2e/", 404, undefined],
  ["POST", "/..", 404, undefined],
  ["POST", "/a/b", 404, undefined],
  ["POST", "/%", 404, undefined],
  ["POST", "/%00", 404, undefined],
  ["POST", "/a%0d%0ab", 404, undefined],
  ["POST", "/%F0%9F%98%88", 404, undefined],
  ["POST", `/${"a".repeat(257)}`, 404, undefined],
  ["POST", "http://evil.example/text.echo.v1", 404, undefined],
  ["POST", "/__proto__", 404, undefined],
])("%s %s is %i", async (method, path, status, allow) => {
  await using it = await counted();
  const before = it.calls();
  const answer = await send(it.url, { method, path, headers: JSON_BODY, ...(method === "TRACE" ? {} : { body: "1" }) });
  expect(answer.status).toBe(status);
  expect(answer.headers.allow).toBe(allow);
  expect(it.calls()).toBe(before);
});

test("names of objects' own members are no operations", async () => {
  await using it = await counted();
  for (const path of ["/constructor", "/toString.v1", "/hasOwnProperty"]) {
    expect((await send(it.url, { path, headers: JSON_BODY, body: '{"__proto__":{"admin":true}}' })).status).toBe(200);
  }
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test("the agent describes itself, and says whether it is well", async () => {
  await using it = await counted();
  const description = await send(it.url, { method: "GET", path: "/.well-known/parley" });
  expect(JSON.parse(description.text)).toMatchObject({
    name: "test",
    profile: "1",
    operations: { "text.echo": { kind: "request", versions: [1] } },
  });
  expect(await send(it.url, { method: "HEAD", path: "/.well-known/parley" })).toMatchObject({ status: 200, text: "" });
  expect((await send(it.url, { method: "GET", path: "/healthz" })).status).toBe(200);
});

test.each([
  ["two lengths", "POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n11"],
  [
    "a length and chunks",
    "POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  [
    "a bad chunk",
    "POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
  ],
  ["a space before the colon", "POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type : x\r\n\r\n"],
  ["no host", "POST /a HTTP/1.1\r\n\r\n"],
  ["no HTTP", "hello\r\n\r\n"],
])("a request with %s is answered 400 and its connection closed", async (_name, text) => {
  await using it = await counted();
  const raw = await rawSocket(it.url);
  raw.socket.write(`${text}GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  const answer = await raw.closed;
  expect(answer).toMatch(/^HTTP\/1.1 400/);
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

test("too many headers, or too much of them, are 431", async () => {
  await using it = await counted();
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-${index}`, "1"]));
  expect((await send(it.url, { path: "/text.echo.v1", headers: { ...JSON_BODY, ...many }, body: "1" })).status).toBe(
    431,
  );
  const raw = await rawSocket(it.url);
  raw.socket.write(`POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nx: ${"x".repeat(20_000)}\r\n\r\n`);
  expect(await raw.closed).toMatch(/^HTTP\/1.1 431/);
});

test("an address that others reach is refused unless it is meant", async () => {
  for (const host of ["0.0.0.0", "[::]"]) {
    const error = await failure(http().listen(new URL(`http://${host}:0`), echo()));
    expect(error).toMatchObject({ code: "failed_precondition", outcome: "not-sent" });
    expect(error.message).toContain("exposed");
  }
  const listener = await http({ exposed: true }).listen(new URL("http://0.0.0.0:0"), echo());
  expect(Number(listener.url.port)).toBeGreaterThan(0);
  // Whoever comes by loopback is still held to its names.
  expect(
    (await send(listener.url, { path: "/a", headers: { ...JSON_BODY, host: "evil.example" }, body: "1" })).status,
  ).toBe(403);
  await listener.close();
});

test("a port that is taken is said to be", async () => {
  await using it = await counted();
  const error = await failure(http().listen(it.url, echo()));
  expect(error).toMatchObject({ code: "already_exists" });
  expect(error.message).toContain(it.url.host);
});

test("a body that somebody else has read is refused with the remedy", async () => {
  await using handler = createHttpHandler(echo());
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => handler.handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(await send(url, { path: "/text.echo.v1", headers: JSON_BODY, body: "1" })).toMatchObject({
    status: 500,
    text: expect.stringContaining("express.json()"),
  });
  server.close();
});

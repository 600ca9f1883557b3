import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { Handler } from "@parley/core/transport";
import { afterEach, expect, test } from "vitest";
import { call, echo, failure } from "../../test/pair.ts";
import { http } from "../index.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0)) await close();
});

/** Something on a port that is no Parley. */
async function tcp(accept: (socket: Socket) => void): Promise<URL> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

async function web(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

async function listening(handler: Handler, options = {}): Promise<URL> {
  const listener = await http(options).listen(new URL("http://127.0.0.1:0"), handler);
  cleanUp.push(() => listener.close({ graceMs: 0 }));
  return listener.url;
}

test("nobody there: unavailable, not sent, and says so", async () => {
  const url = await tcp(() => {});
  await cleanUp.pop()?.();
  const error = await failure(http().connect(url));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(error.message).toContain("nothing listens at 127.0.0.1");
});

test("an unknown host: unavailable, not sent", async () => {
  expect(await failure(http().connect(new URL("http://no-such-host.invalid")))).toMatchObject({
    code: "unavailable",
    outcome: "not-sent",
  });
});

test.each<[string, (socket: Socket) => void, RegExp]>([
  ["an SSH banner", (socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"), /not HTTP/],
  ["random bytes", (socket) => socket.end(Buffer.from([0, 1, 2, 255, 254, 13, 10, 9])), /not HTTP/],
  ["a TLS alert", (socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 40])), /not HTTP/],
  ["nothing but a close", (socket) => socket.destroy(), /was cut/],
  [
    "half an answer",
    (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 500\r\n\r\n{"spec'),
    /cut|match/,
  ],
  ["a body without end", (socket) => void endless(socket), /over the limit/],
  [
    "a length of 10 GiB",
    (socket) =>
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 10737418240\r\n\r\n{",
      ),
    /over the limit/,
  ],
  ["headers without end", (socket) => void endlessHeaders(socket), /headers/],
])("a peer that answers with %s is no Parley, and that is said at once", async (_name, accept, message) => {
  const url = await tcp(accept);
  const error = await failure(http().connect(url, { connectTimeoutMs: 3_000 }));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(error.message).toMatch(message);
});

function endless(socket: Socket): void {
  socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/cloudevents+json\r\nTransfer-Encoding: chunked\r\n\r\n");
  const piece = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", more);
  more();
}

function endlessHeaders(socket: Socket): void {
  socket.write("HTTP/1.1 200 OK\r\n");
  const more = (): void => {
    while (!socket.destroyed && socket.write(`x-a: ${"x".repeat(1_000)}\r\n`));
  };
  socket.on("drain", more);
  more();
}

test.each<[string, RequestListener, RegExp]>([
  [
    "a page",
    (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>secret"),
    /answered 200 with text\/html/,
  ],
  [
    "404",
    (_request, response) => response.writeHead(404, { "content-type": "text/html" }).end("secret"),
    /answered 404/,
  ],
  [
    "a redirect",
    (_request, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    /redirect, which is not followed/,
  ],
  [
    "JSON of its own",
    (_request, response) => response.writeHead(200, { "content-type": "application/json" }).end('{"secret":1}'),
    /answered 200 with application\/json/,
  ],
  [
    "something that is not JSON",
    (_request, response) => response.writeHead(200, { "content-type": "application/cloudevents+json" }).end("secret"),
    /cannot be read/,
  ],
  [
    "an event that answers nothing",
    (_request, response) =>
      response
        .writeHead(200, { "content-type": "application/cloudevents+json" })
        .end('{"specversion":"1.0","parley":"1","kind":"item","id":"1","source":"/x","type":"t"}'),
    /answered 200/,
  ],
  ["202 and no event", (_request, response) => response.writeHead(202).end(), /no answer/],
  [
    "a compressed body",
    (_request, response) =>
      response.writeHead(200, { "content-type": "application/cloudevents+json", "content-encoding": "gzip" }).end(),
    /content-encoding/,
  ],
])("a web server that answers with %s is no Parley, and its text is not repeated", async (_name, listener, message) => {
  const error = await failure(http().connect(await web(listener)));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain("secret");
});

test("a peer that takes the connection and says nothing is given up in time", async () => {
  const url = await tcp(() => {});
  const start = performance.now();
  expect(await failure(http().connect(url, { connectTimeoutMs: 200 }))).toMatchObject({
    code: "deadline_exceeded",
    outcome: "not-sent",
  });
  expect(performance.now() - start).toBeLessThan(3_000);
});

test("connecting can be given up", async () => {
  const url = await tcp(() => {});
  const reason = new AbortController();
  const connecting = failure(http().connect(url, { signal: reason.signal }));
  reason.abort();
  expect(await connecting).toMatchObject({ code: "cancelled", outcome: "not-sent" });
  expect(await failure(http().connect(url, { signal: reason.signal }))).toMatchObject({
    code: "cancelled",
    outcome: "not-sent",
  });
});

test("https where http is spoken, and http where https is, are told apart from silence", async () => {
  const url = await listening(echo());
  const error = await failure(http().connect(new URL(url.href.replace("http:", "https:"))));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
});

test("a profile that is not common is named on both sides", async () => {
  const url = await web((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const { id } = JSON.parse(body) as { id: string };
      const event = {
        specversion: "1.0",
        parley: "1",
        kind: "reply",
        id: `${id}.r`,
        source: "/x",
        type: "parley.hello.v1",
        data: { profiles: ["7", "8"] },
      };
      response
        .writeHead(200, { "content-type": "application/cloudevents+json; charset=utf-8" })
        .end(JSON.stringify(event));
    });
  });
  expect(await failure(http().connect(url))).toMatchObject({
    code: "failed_precondition",
    details: { offered: ["7", "8"], supported: ["1"] },
  });
});

test("an agent under a path is found there, and elsewhere its absence is said", async () => {
  const listener = await http().listen(new URL("http://127.0.0.1:0/agents/one/"), echo());
  cleanUp.push(() => listener.close());
  const connection = await http().connect(listener.url);
  cleanUp.push(() => connection.close());
  const error = await failure(http().connect(new URL("/", listener.url)));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  expect(error.message).toContain("answered 404");
});

test("refusals of a handshake by name stay what they are", async () => {
  const url = await listening(echo(), { allowedHosts: ["agents.example"] });
  expect(await failure(http().connect(url))).toMatchObject({ code: "permission_denied", outcome: "not-sent" });
  const guarded = await web((_request, response) => response.writeHead(401, { "www-authenticate": "Bearer" }).end());
  expect(await failure(http().connect(guarded))).toMatchObject({ code: "unauthenticated" });
});

test("headers of the options go along with every request", async () => {
  const seen: unknown[] = [];
  const url = await web((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(503, { "retry-after": "7" }).end();
  });
  expect(await failure(http({ headers: { authorization: "Bearer t" } }).connect(url))).toMatchObject({
    code: "unavailable",
  });
  expect(seen).toEqual(["Bearer t"]);
});

test("credentials in a URL are refused", async () => {
  expect(await failure(http().connect(new URL("http://user:secret@127.0.0.1:1")))).toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
  });
});

test("any server that answers the handshake with an event can be called", async () => {
  const url = await web((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const { type, id } = JSON.parse(body) as { type: string; id: string };
      // No attribute of Parley's: a CloudEvent as any SDK makes it.
      response.writeHead(200, { "content-type": "Application/CloudEvents+JSON" }).end(
        JSON.stringify({
          specversion: "1.0",
          id: `to-${id}`,
          source: "urn:other",
          type: `${type}.done`,
          data: { type },
        }),
      );
    });
  });
  const connection = await http().connect(url);
  cleanUp.push(() => connection.close());
  expect((await call({ connection }, "request", { data: 1 })).message?.data).toEqual({ type: "text.echo.v1" });
});

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import {
  answererItem,
  type Connection,
  type ConnectOptions,
  createCall,
  createEnvelope,
  type Handler,
  HELLO,
  type ListenOptions,
  ParleyError,
  reply,
} from "@parley/core/transport";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type WsOptions, ws } from "./index.ts";

const source = "/test";
const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const echo: Handler = ({ kind, message }) => {
  if (message.type === HELLO) throw new ParleyError("unimplemented", "no agent");
  if (kind === "request") return { message: reply(message, source, message.data) };
  async function* items() {
    for (let n = 1; n <= Number(message.data); n++) yield answererItem(message, source, n, n);
  }
  return { output: items() };
};

async function listening(options: WsOptions = {}, handler: Handler = echo, listen: ListenOptions = {}) {
  const listener = await ws(options).listen(new URL("ws://127.0.0.1:0"), handler, listen);
  cleanups.push(() => listener.close({ graceMs: 100 }));
  return listener;
}

async function dialling(url: URL, options: WsOptions = {}, connect: ConnectOptions = {}) {
  const connection = await ws(options).connect(url, connect);
  cleanups.push(() => connection.close({ graceMs: 100 }));
  return connection;
}

async function tcp(answer: (socket: import("node:net").Socket) => void): Promise<URL> {
  const server: Server = createTcpServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  return new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const ask = async (connection: Connection, data: unknown) => {
  const message = createEnvelope({ kind: "request", type: "test.echo.v1", source, data });
  return (await connection.call(createCall({ kind: "request", message }))).message?.data;
};

describe("ws", () => {
  it("carries requests and streams over a real socket", async () => {
    const connection = await dialling((await listening()).url);
    const bytes = new Uint8Array([0, 255, 10]);
    expect(await ask(connection, { text: "é\u2028😀" })).toEqual({ text: "é\u2028😀" });
    expect(await ask(connection, bytes)).toEqual(bytes);
    const message = createEnvelope({ kind: "server-stream", type: "test.count.v1", source, data: 10_000 });
    const { output } = await connection.call(createCall({ kind: "server-stream", message }));
    let count = 0;
    for await (const item of output ?? []) expect(item.data).toBe(++count);
    expect(count).toBe(10_000);
  });

  it("mounts on the user's server, beside what that serves itself", async () => {
    const server = createHttpServer((_request, response) => response.end("mine"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => server.close());
    const url = new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/agents`);
    const listener = await ws({ server }).listen(url, echo);
    const connection = await ws().connect(url);
    expect(await ask(connection, 1)).toBe(1);
    expect(await (await fetch(`http://${url.host}/`)).text()).toBe("mine");
    await connection.close();
    await listener.close();
    expect(server.listening).toBe(true);
  });

  it("refuses another path on the user's server, unless somebody else may serve it", async () => {
    const server = createHttpServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => server.close());
    const host = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const listener = await ws({ server }).listen(new URL(`${host}/agents`), echo);
    await expect(ws().connect(new URL(`${host}/other`))).rejects.toMatchObject({
      message: expect.stringContaining("404"),
    });
    server.once("upgrade", (_request, socket) => socket.end("HTTP/1.1 418 Mine\r\n\r\n"));
    await expect(ws().connect(new URL(`${host}/other`))).rejects.toMatchObject({
      message: expect.stringContaining("418"),
    });
    await listener.close();
  });

  it("closes at once although somebody trickles a request", async () => {
    const listener = await ws().listen(new URL("ws://127.0.0.1:0"), echo);
    const { connect } = await import("node:net");
    const socket = connect(Number(listener.url.port), "127.0.0.1");
    await new Promise((resolve) => socket.write("GET / HTTP/1.1\r\nHo", resolve));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    const start = performance.now();
    await listener.close();
    await ended;
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  it("tells a browser or curl on its port what it is", async () => {
    const { url } = await listening();
    const response = await fetch(`http://${url.host}/`);
    expect(response.status).toBe(426);
    expect(await response.text()).toContain("cloudevents.json");
  });

  it("lets a foreign WebSocket client take part", async () => {
    const { url } = await listening();
    const socket = new WebSocket(url, "cloudevents.json");
    await new Promise((resolve) => socket.once("open", resolve));
    const next = () =>
      new Promise<Record<string, unknown>>((resolve) =>
        socket.once("message", (data) => resolve(JSON.parse(String(data)))),
      );
    const base = { specversion: "1.0", source: "/foreign", kind: "request" };
    socket.send(JSON.stringify({ ...base, id: "1", type: HELLO, call: 1, data: {} }));
    expect(await next()).toMatchObject({ kind: "reply", call: 1, id: "1.r" });
    socket.send(JSON.stringify({ ...base, id: "2", type: "test.echo.v1", call: 3, data: "hi" }));
    expect(await next()).toMatchObject({ kind: "reply", call: 3, id: "2.r", data: "hi" });
    socket.close();
  });
});

describe("a listener", () => {
  it("says which port is taken, and what to do", async () => {
    const { url } = await listening();
    await expect(ws().listen(url, echo)).rejects.toMatchObject({
      code: "already_exists",
      message: expect.stringContaining(url.host),
    });
  });

  it("does not listen at wss without a certificate", async () => {
    const listening = ws().listen(new URL("wss://127.0.0.1:0"), echo);
    await expect(listening).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("cert"),
    });
  });

  it("is not reachable from other machines unless that is said", async () => {
    await expect(ws().listen(new URL("ws://0.0.0.0:0"), echo)).rejects.toMatchObject({
      code: "failed_precondition",
      message: expect.stringContaining("exposed"),
    });
  });

  it.each([
    ["a page of another origin", { origin: "https://evil.example" }, 403],
    ["an opaque origin", { origin: "null" }, 403],
    ["a name that only resolves to this machine", { headers: { host: "evil.example" } }, 403],
  ])("refuses %s", async (_what, options, status) => {
    const { url } = await listening();
    const socket = new WebSocket(url, "cloudevents.json", options);
    const answered = await new Promise((resolve) => {
      socket.on("error", () => {});
      socket.once("unexpected-response", (_request, response) => resolve(response.statusCode));
      socket.once("open", () => resolve("open"));
    });
    expect(answered).toBe(status);
  });

  it("says which option admits an origin that it refuses", async () => {
    const { url } = await listening({ allowedOrigins: ["https://app.example"] });
    const socket = new WebSocket(url, "cloudevents.json", { origin: "https://other.example" });
    socket.on("error", () => {});
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk;
    expect(text).toMatch(/^Pages of the origin https:\/\/other\.example may not connect; .*allowedOrigins/);
  });

  it("takes an origin that is allowed", async () => {
    const { url } = await listening({ allowedOrigins: ["https://app.example"] });
    const socket = new WebSocket(url, "cloudevents.json", { origin: "https://app.example" });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    socket.close();
  });

  it("closes a connection whose message is over the limit, with 1009", async () => {
    const { url } = await listening({
      limits: { maxMessageBytes: 70_000, maxCalls: 10, windowItems: 4, windowBytes: 1_000 },
    });
    const socket = new WebSocket(url, "cloudevents.json");
    await new Promise((resolve) => socket.once("open", resolve));
    socket.on("error", () => {});
    socket.send("x".repeat(70_001));
    expect(await new Promise((resolve) => socket.once("close", resolve))).toBe(1009);
  });

  it("survives frames that break the protocol", async () => {
    const { url } = await listening();
    const socket = new WebSocket(url, "cloudevents.json");
    await new Promise((resolve) => socket.once("open", resolve));
    socket.on("error", () => {});
    (socket as unknown as { _socket: import("node:net").Socket })._socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(await ask(await dialling(url), 1)).toBe(1);
  });
});

describe("dialling", () => {
  it("nobody: unavailable, not sent", async () => {
    const url = await tcp(() => {});
    await cleanups.pop()?.();
    await expect(ws().connect(url)).rejects.toMatchObject({
      code: "unavailable",
      outcome: "not-sent",
      message: expect.stringContaining(url.host),
    });
  });

  it("a web server: says that it is no Parley", async () => {
    const url = await tcp((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
    await expect(ws().connect(url)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("200"),
    });
  });

  it("a server of another protocol: fails at once", async () => {
    const url = await tcp((socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"));
    await expect(ws().connect(url)).rejects.toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it("somebody silent: fails within the time given", async () => {
    const url = await tcp(() => {});
    await expect(ws().connect(url, { connectTimeoutMs: 100 })).rejects.toMatchObject({ code: "deadline_exceeded" });
  });

  it("a WebSocket server that is no Parley: fails within the time given", async () => {
    const { WebSocketServer } = await import("ws");
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    cleanups.push(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    const url = new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(ws().connect(url, { connectTimeoutMs: 200 })).rejects.toMatchObject({
      code: "deadline_exceeded",
      message: expect.stringContaining("hello"),
    });
  });

  it("can be given up", async () => {
    const url = await tcp(() => {});
    const connecting = ws().connect(url, { signal: AbortSignal.timeout(30) });
    await expect(connecting).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent" });
  });
});

describe("a peer that keeps no rules", () => {
  const accept = (key: string) =>
    createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

  it("cannot end the process by a bad frame right behind its handshake", async () => {
    const url = await tcp((socket) => {
      socket.once("data", (head) => {
        const key = /sec-websocket-key: (\S+)/i.exec(String(head))?.[1] ?? "";
        const answer = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: cloudevents.json\r\nSec-WebSocket-Accept: ${accept(key)}\r\n\r\n`;
        socket.write(Buffer.concat([Buffer.from(answer), Buffer.from([0xff, 0x80, 0, 0, 0])]));
      });
      socket.on("error", () => {});
    });
    await expect(ws().connect(url, { connectTimeoutMs: 2_000 })).rejects.toMatchObject({ outcome: "not-sent" });
  });

  it("that trickles its handshake is given up in time", async () => {
    const url = await tcp((socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\n");
      const trickle = setInterval(() => socket.write("X-More: to come\r\n"), 20);
      socket.on("error", () => {});
      socket.once("close", () => clearInterval(trickle));
    });
    const start = performance.now();
    await expect(ws().connect(url, { connectTimeoutMs: 200 })).rejects.toMatchObject({ code: "deadline_exceeded" });
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  it("and keeps a refused connection open does not keep the listener from closing", async () => {
    const listener = await ws().listen(new URL("ws://127.0.0.1:0"), echo);
    const { connect } = await import("node:net");
    const socket = connect({ port: Number(listener.url.port), host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.write(
      "GET /elsewhere HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await new Promise((resolve) => socket.once("data", resolve));
    const start = performance.now();
    await listener.close();
    expect(performance.now() - start).toBeLessThan(3_000);
    socket.destroy();
  });
});

it("several listeners on one server: each its path, and nobody's path is refused", async () => {
  const server = createHttpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  const host = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const listeners = await Promise.all(
    ["a", "b"].map((path) => ws({ server }).listen(new URL(`${host}/${path}`), echo)),
  );
  for (const { url } of listeners) expect(await ask(await dialling(url), url.pathname)).toBe(url.pathname);
  const nobody = ws().connect(new URL(`${host}/c`), { connectTimeoutMs: 1_000 });
  await expect(nobody).rejects.toMatchObject({ message: expect.stringContaining("404") });
  for (const listener of listeners) await listener.close({ graceMs: 50 });
});

it("what cannot be dialled is an invalid argument, and a fragment does no harm", async () => {
  const { url } = await listening();
  await expect(ws({ headers: { "bad name": "x" } }).connect(url)).rejects.toMatchObject({ code: "invalid_argument" });
  expect(await ask(await dialling(new URL("#here", url)), 1)).toBe(1);
});

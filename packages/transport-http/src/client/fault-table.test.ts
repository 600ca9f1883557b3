import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { bearer } from "@parley/core";
import { certificates } from "@parley/test-certificates";
import { expect } from "vitest";
import { type Fault, holdsToFaultTable } from "../../../core/test/fault-table.ts";
import { HttpClient, type HttpClientOptions } from "../index.ts";

/** Listens until the stack is disposed of; then what is connected is cut. */
async function at(server: Server, peers: AsyncDisposableStack, scheme = "http"): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  await once(server.listen(0, "127.0.0.1"), "listening");
  peers.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address is an object
}

const talking =
  (talk: (socket: Socket) => unknown) =>
  (peers: AsyncDisposableStack): Promise<string> =>
    at(createServer(talk), peers);

/** Asks a server for all of an answer. */
const asking =
  (server: (peers: AsyncDisposableStack) => Promise<string>, options: HttpClientOptions = {}): Fault =>
  async (peers) => {
    const baseUrl = await server(peers);
    return async (clients) => {
      const api = clients.use(new HttpClient({ baseUrl, expectOk: true, ...options }));
      return await (await api.get("/")).text();
    };
  };

const answering =
  (status: number, headers: Record<string, string> = {}) =>
  (peers: AsyncDisposableStack) =>
    at(
      createHttpServer((_request, response) => response.writeHead(status, headers).end()),
      peers,
    );

holdsToFaultTable("HttpClient", {
  refused: {
    fault: asking(async () => {
      await using gone = new AsyncDisposableStack();
      return await talking(() => {})(gone);
    }),
    error: { message: expect.stringContaining("nothing listens at 127.0.0.1") },
  },
  "wrong certificate": asking((peers) => {
    const { serverCert, serverKey } = certificates;
    return at(createSecureServer({ cert: serverCert, key: serverKey }), peers, "https");
  }),
  silent: asking(
    talking((socket) => socket.resume()),
    { headersTimeoutMs: 100 },
  ),
  gone: asking(talking((socket) => socket.once("data", () => socket.destroy()))),
  "half answer": asking(
    talking((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))),
  ),
  "too many requests": { fault: asking(answering(429, { "retry-after": "7" })), error: { retryAfterMs: 7_000 } },
  "expired token": asking(answering(401), { credentials: bearer(() => crypto.randomUUID()) }),
  "full pipe": async (peers) => {
    const stalled: Socket[] = [];
    const url = await talking((socket) => stalled.push(socket.pause()))(peers);
    return async (clients) => {
      // Who does not read does not hear of the end either.
      clients.defer(() => stalled.forEach((socket) => void socket.resume()));
      const api = clients.use(new HttpClient({ headersTimeoutMs: 300 }));
      await api.post(url, { body: new Uint8Array(32 * 1024 * 1024) });
    };
  },
  "full disk": async (peers) => {
    const server = createHttpServer((_request, response) => {
      response.on("error", () => {});
      response.write(Buffer.alloc(1_000_000));
    });
    const url = await at(server, peers);
    return async (clients) => {
      const api = clients.use(new HttpClient());
      await pipeline(await api.get(url), createWriteStream("/dev/full"));
    };
  },
});

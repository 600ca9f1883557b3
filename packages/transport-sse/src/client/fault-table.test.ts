import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { bearer } from "@parley/core";
import { certificates } from "@parley/test-certificates";
import { type Fault, holdsToFaultTable } from "../../../core/test/fault-table.ts";
import { SseClient, type SseClientOptions, type SseEvent } from "../index.ts";

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

/** Reads a stream to its end. */
const reading =
  (
    server: (peers: AsyncDisposableStack) => Promise<string>,
    options: Partial<SseClientOptions> = {},
    take: (event: SseEvent) => void = () => {},
  ): Fault =>
  async (peers) => {
    const url = await server(peers);
    return async (clients) => {
      const client = clients.use(new SseClient({ url, reconnect: false, ...options }));
      for await (const event of client) take(event);
    };
  };

const answering =
  (status: number, headers: Record<string, string> = {}) =>
  (peers: AsyncDisposableStack) =>
    at(
      createHttpServer((_request, response) => response.writeHead(status, headers).end()),
      peers,
    );

/** The head of a stream, and a text that may be less than an event, of a length that is never reached. */
const streamed = (text: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n${text}`;

holdsToFaultTable("SseClient", {
  refused: reading(async () => {
    await using gone = new AsyncDisposableStack();
    return await talking(() => {})(gone);
  }),
  "wrong certificate": reading((peers) => {
    const { serverCert, serverKey } = certificates;
    return at(createSecureServer({ cert: serverCert, key: serverKey }), peers, "https");
  }),
  silent: reading(
    talking((socket) => socket.resume()),
    { headersTimeoutMs: 100 },
  ),
  gone: reading(talking((socket) => socket.once("data", () => socket.end(streamed("data: whole\n\n"))))),
  "half answer": reading(talking((socket) => socket.once("data", () => socket.end(streamed("data: ha"))))),
  "too many requests": { fault: reading(answering(429, { "retry-after": "7" })), error: { retryAfterMs: 7_000 } },
  "expired token": reading(answering(401), { credentials: bearer(() => crypto.randomUUID()) }),
  "full pipe": async (peers) => {
    const stalled: Socket[] = [];
    const server = talking((socket) => stalled.push(socket.pause()));
    const use = await reading(server, { body: new Uint8Array(32 * 1024 * 1024), headersTimeoutMs: 300 })(peers);
    return (clients) => {
      // Who does not read does not hear of the end either.
      clients.defer(() => stalled.forEach((socket) => void socket.resume()));
      return use(clients);
    };
  },
  "full disk": reading(
    talking((socket) => socket.once("data", () => socket.write(streamed("data: whole\n\n")))),
    {},
    ({ data }) => appendFileSync("/dev/full", data),
  ),
});

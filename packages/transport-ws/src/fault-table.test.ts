import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { bearer } from "@parley/core";
import { certificates } from "@parley/test-certificates";
import { type WebSocket, WebSocketServer } from "ws";
import { type Fault, holdsToFaultTable } from "../../core/test/fault-table.ts";
import { socketOf } from "../test/servers.ts";
import { WebSocketClient, type WebSocketClientOptions } from "./index.ts";

/** Listens until the stack is disposed of; then what is connected is cut. */
async function at(server: Server, peers: AsyncDisposableStack, scheme = "ws"): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  await once(server.listen(0, "127.0.0.1"), "listening");
  peers.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address is an object
}

/** A server that nobody here wrote. */
const serving =
  (taken: (peer: WebSocket) => void) =>
  (peers: AsyncDisposableStack): Promise<string> => {
    const server = createHttpServer();
    new WebSocketServer({ server }).on("connection", (peer) => taken(peer.on("error", () => {})));
    return at(server, peers);
  };

/** Reads what comes, until that fails. */
const reading =
  (
    server: (peers: AsyncDisposableStack) => Promise<string>,
    options: Partial<WebSocketClientOptions> = {},
    take: (message: unknown) => void = () => {},
  ): Fault =>
  async (peers) => {
    const url = await server(peers);
    return async (clients) => {
      const client = clients.use(new WebSocketClient({ url, reconnect: false, ...options }));
      for (;;) take(await client.receive());
    };
  };

const answering = (head: string) => (peers: AsyncDisposableStack) =>
  at(
    createServer((socket) => socket.once("data", () => socket.end(`HTTP/1.1 ${head}\r\nContent-Length: 0\r\n\r\n`))),
    peers,
  );

holdsToFaultTable("WebSocketClient", {
  refused: reading(async () => {
    await using gone = new AsyncDisposableStack();
    return await at(createServer(), gone);
  }),
  "wrong certificate": reading((peers) => {
    const { serverCert, serverKey } = certificates;
    return at(createSecureServer({ cert: serverCert, key: serverKey }), peers, "wss");
  }),
  silent: reading(
    (peers) =>
      at(
        createServer((socket) => socket.resume()),
        peers,
      ),
    { connectTimeoutMs: 100 },
  ),
  gone: reading(serving((peer) => peer.terminate())),
  "half answer": reading(serving((peer) => socketOf(peer).end(Buffer.from([0x81, 9, 0x22, 0x68])))),
  "too many requests": {
    fault: reading(answering("429 Too Many Requests\r\nRetry-After: 7")),
    error: { retryAfterMs: 7_000 },
  },
  "expired token": reading(answering("401 Unauthorized"), { credentials: bearer(() => crypto.randomUUID()) }),
  "full pipe": async (peers) => {
    const stalled: WebSocket[] = [];
    const url = await serving((peer) => {
      peer.pause();
      stalled.push(peer);
    })(peers);
    return async (clients) => {
      // Who does not read does not hear of the end either.
      clients.defer(() => stalled.forEach((peer) => void peer.resume()));
      const client = clients.use(
        new WebSocketClient({ url, format: "binary", reconnect: false, pingIntervalMs: false }),
      );
      clients.defer(() => client.close({ graceMs: 0 }));
      await client.connect();
      for (;;) await client.send(new Uint8Array(4_000_000), { timeoutMs: 500 });
    };
  },
  "full disk": reading(
    serving((peer) => peer.send('"whole"')),
    {},
    (message) => appendFileSync("/dev/full", String(message)),
  ),
});

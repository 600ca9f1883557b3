import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type ClientStateChange, ParleyError } from "@parley/core/transport";
import { afterEach } from "vitest";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { WebSocketClient, type WebSocketClientOptions, type WebSocketFormat } from "../src/index.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that runs. */
export interface Serving {
  readonly server: WebSocketServer;
  readonly port: number;
  readonly url: string;
  /** Ends it, and all connections to it without a word. */
  close(): Promise<void>;
}

/** A server that nobody here wrote; `taken` gets each connection. */
export async function serving(
  taken: (peer: WebSocket, headers: NodeJS.Dict<unknown>) => void,
  options: ServerOptions = {},
): Promise<Serving> {
  const server = new WebSocketServer(options.server ? options : { port: 0, host: "127.0.0.1", ...options });
  server.on("connection", (peer, { headers }) => {
    peer.on("error", () => {});
    taken(peer, headers);
  });
  if (!options.server?.listening) await once(server, "listening");
  const close = async (): Promise<void> => {
    for (const peer of server.clients) peer.terminate();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanups.push(close);
  const { port } = server.address() as AddressInfo;
  return { server, close, port, url: `ws://127.0.0.1:${port}` };
}

/** Sends back what comes. */
export const echo = (peer: WebSocket): void => {
  peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary }));
};

/** A TCP server that is no WebSocket server. */
export async function tcp(taken: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    taken(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A client that comes back quickly, and is closed after the test. */
export function clientOf<Format extends WebSocketFormat = "json">(
  options: WebSocketClientOptions<Format>,
): WebSocketClient<Format> {
  const client = new WebSocketClient({ reconnect: { baseMs: 1, maxMs: 8 }, ...options });
  cleanups.push(() => client.close({ graceMs: 0 }));
  return client;
}

/** What a promise fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<ParleyError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
  throw new Error("did not fail");
}

/** Resolves when the client comes to be in the state. */
export function reached(
  client: Pick<WebSocketClient, "onState">,
  state: ClientStateChange["state"],
): Promise<ClientStateChange> {
  return new Promise((resolve) => {
    const off = client.onState((change) => {
      if (change.state !== state) return;
      off();
      resolve(change);
    });
  });
}

/** The socket below a peer of the server. */
export const socketOf = (peer: WebSocket): Socket => (peer as unknown as { _socket: Socket })._socket;

/** Echoes at `wss:`. */
export async function securely(cert: string, key: string): Promise<string> {
  const server = createSecureServer({ cert, key });
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => server.close());
  const { port } = await serving(echo, { server });
  return `wss://127.0.0.1:${port}`;
}

/** A peer that shakes hands, and then does nothing by itself; `shaken` gets its socket. */
export function mute(shaken: (socket: Socket) => void): Promise<string> {
  return tcp((socket) => {
    socket.once("data", (head) => {
      const key = /sec-websocket-key: (\S+)/i.exec(String(head))?.[1] ?? "";
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      shaken(socket);
    });
  });
}

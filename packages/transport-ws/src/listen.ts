import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  channelLimits,
  channelListener,
  type Handler,
  type Listener,
  type ListenOptions,
  ParleyError,
  TransportError,
} from "@parley/core/transport";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { CLOSE_TIMEOUT_MS, SUBPROTOCOL, type WsOptions } from "./options.ts";
import { socketChannel } from "./socket-channel.ts";
import { refuseUpgrade, type UpgradeRules, upgradeRefusal } from "./upgrade.ts";

/** Time for the request line and headers of a connection, so that one that trickles holds nothing for long. */
const HEADERS_TIMEOUT_MS = 10_000;

/** Listens for WebSockets, on a port of its own or on the user's server. */
export async function listen(
  url: URL,
  handler: Handler,
  options: WsOptions,
  { log, runtime }: ListenOptions,
): Promise<Listener> {
  const { limits = channelLimits, heartbeatMs, helloTimeoutMs = 5_000, maxQueuedChars, exposed = false } = options;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!options.server && !exposed && !isLoopback(host)) {
    throw new ParleyError(
      "failed_precondition",
      `${url.hostname} can be reached by other machines: say ws({ exposed: true }) if that is meant, or listen at 127.0.0.1`,
      { outcome: "not-sent" },
    );
  }
  const server = options.server ?? newServer(url, options);
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL,
    closeTimeout: CLOSE_TIMEOUT_MS,
  } as ServerOptions);
  const rules: UpgradeRules = {
    path: url.pathname,
    allowedOrigins: options.allowedOrigins ?? [],
    allowedHosts: options.allowedHosts ?? (isLoopback(host) && !options.server ? loopbackNames : undefined),
    elsewhere: options.server ? "leave" : "refuse",
  };

  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const refusal = upgradeRefusal(request, rules);
    if (refusal === "not-ours") return;
    if (refusal) return refuseUpgrade(socket, refusal);
    webSockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      listener.accept(socketChannel(webSocket, socket), {
        address: `${socket.remoteAddress}:${socket.remotePort}`,
        principal: certifiedName(socket),
      });
    });
  };
  server.on("upgrade", upgrade);
  const bound = options.server ? url : await bind(server, url, host);

  const listener = channelListener({
    url: bound,
    channel: { transport: "ws", handler, limits, heartbeatMs, helloTimeoutMs, maxQueuedChars, log, runtime },
    stop() {
      server.off("upgrade", upgrade);
      if (options.server) return;
      server.closeIdleConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  });
  return listener;
}

function newServer(url: URL, { tls }: WsOptions): Server {
  const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS };
  const server = url.protocol === "wss:" ? createSecureServer({ ...tls, ...timeouts }) : createServer(timeouts);
  server.on("request", (_request, response) => {
    response.writeHead(426, { "content-type": "text/plain", connection: "close", upgrade: "websocket" });
    response.end(`This is a Parley WebSocket listener: connect with a WebSocket of subprotocol ${SUBPROTOCOL}.\n`);
  });
  return server;
}

function bind(server: Server, url: URL, host: string): Promise<URL> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(bindError(url, error)));
    server.listen(Number(url.port || (url.protocol === "wss:" ? 443 : 80)), host, () => {
      const bound = new URL(url);
      bound.port = String((server.address() as AddressInfo).port);
      resolve(bound);
    });
  });
}

function bindError(url: URL, error: NodeJS.ErrnoException): ParleyError {
  const options = { outcome: "not-sent", cause: error } as const;
  switch (error.code) {
    case "EADDRINUSE":
      return new ParleyError(
        "already_exists",
        `${url.host} is in use: another program listens there; take another port, or port 0 for any free one`,
        options,
      );
    case "EACCES":
      return new ParleyError(
        "permission_denied",
        `this process may not listen at ${url.host}; ports below 1024 need privileges`,
        options,
      );
    case "EADDRNOTAVAIL":
      return new ParleyError("invalid_argument", `${url.hostname} is not an address of this machine`, options);
    default:
      return new TransportError("unavailable", `cannot listen at ${url.host}: ${error.message}`, options);
  }
}

const loopbackNames = ["127.0.0.1", "localhost", "[::1]"];

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Common name of the client's certificate, where TLS has verified one. */
function certifiedName(socket: Socket): string | undefined {
  const { authorized, getPeerCertificate } = socket as Partial<TLSSocket>;
  const name = authorized ? getPeerCertificate?.call(socket).subject?.CN : undefined;
  return Array.isArray(name) ? name[0] : name;
}

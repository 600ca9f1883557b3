import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import { isLoopback, listenAt, loopbackNames, requireExposed, socketPeer } from "@parley/core/node";
import {
  channelLimits,
  channelListener,
  type Handler,
  type Listener,
  type ListenOptions,
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
  if (!options.server) requireExposed(url, exposed, "ws");
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
    allowedHosts: options.allowedHosts ?? (isLoopback(url.hostname) && !options.server ? loopbackNames : undefined),
  };

  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const refusal = upgradeRefusal(request, rules);
    // On a shared server another path may be somebody else's.
    if (refusal?.status === 404 && server.listenerCount("upgrade") > 1) return;
    if (refusal) return refuseUpgrade(socket, refusal);
    webSockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      listener.accept(socketChannel(webSocket, socket), socketPeer(socket));
    });
  };
  server.on("upgrade", upgrade);
  const bound = options.server ? url : await listenAt(server, url, url.protocol === "wss:" ? 443 : 80);

  const listener = channelListener({
    url: bound,
    channel: { transport: "ws", handler, limits, heartbeatMs, helloTimeoutMs, maxQueuedChars, log, runtime },
    stop() {
      server.off("upgrade", upgrade);
      if (options.server) return;
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  });
  return listener;
}

function newServer(url: URL, { tls, maxConnections = 10_000 }: WsOptions): Server {
  const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS };
  const server = url.protocol === "wss:" ? createSecureServer({ ...tls, ...timeouts }) : createServer(timeouts);
  server.maxConnections = maxConnections;
  server.on("request", (_request, response) => {
    response.writeHead(426, { "content-type": "text/plain", connection: "close", upgrade: "websocket" });
    response.end(`This is a Parley WebSocket listener: connect with a WebSocket of subprotocol ${SUBPROTOCOL}.\n`);
  });
  return server;
}

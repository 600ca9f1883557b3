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
  ParleyError,
} from "@parley/core/transport";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { CLOSE_TIMEOUT_MS, resumeOf } from "./call-options.ts";
import { presentedBy } from "./credential-offer.ts";
import type { WsOptions } from "./options.ts";
import { socketChannel } from "./socket-channel.ts";
import { chosen, maxFrameBytes, SUBPROTOCOL } from "./subprotocols.ts";
import { refuseUpgrade, type UpgradeRules, upgradeRefusal } from "./upgrade.ts";

/** Time for the request line and headers of a connection, so that one that trickles holds nothing for long. */
const HEADERS_TIMEOUT_MS = 5_000;
/** How often that is looked at. */
const CHECK_INTERVAL_MS = 1_000;

/** Paths of the listeners that are mounted on a server. */
const mounted = new WeakMap<Server, Set<string>>();

/** Listens for WebSockets, on a port of its own or on the user's server. */
export async function listen(
  url: URL,
  handler: Handler,
  options: WsOptions,
  { log, runtime }: ListenOptions,
): Promise<Listener> {
  const { limits = channelLimits, heartbeatMs, helloTimeoutMs = 5_000, maxQueuedChars, exposed = false } = options;
  if (!options.server) {
    requireExposed(url, exposed, "ws");
    requireCertificate(url, options);
  }
  const server = options.server ?? newServer(url, options);
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes(limits.maxMessageBytes),
    clientTracking: false,
    handleProtocols: (offered) => chosen(offered) ?? false,
    closeTimeout: CLOSE_TIMEOUT_MS,
  } as ServerOptions);
  const rules: UpgradeRules = {
    path: url.pathname,
    allowedOrigins: options.allowedOrigins ?? [],
    allowedHosts: options.allowedHosts ?? (isLoopback(url.hostname) && !options.server ? loopbackNames : undefined),
  };

  const paths = mounted.get(server) ?? new Set<string>();
  mounted.set(server, paths.add(url.pathname));
  /** On a shared server another path may be served by somebody else; of several Parleys, the first refuses what is nobody's. */
  const isOthers = ({ url: target = "/" }: IncomingMessage): boolean =>
    server.listenerCount("upgrade") > paths.size ||
    paths.has(target.split("?", 1)[0] as string) ||
    paths.values().next().value !== url.pathname;

  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    const refusal = upgradeRefusal(request, rules);
    if (refusal?.status === 404 && isOthers(request)) return;
    if (refusal) return refuseUpgrade(socket, refusal);
    webSockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      const presented = presentedBy(request);
      listener.accept(socketChannel(webSocket, socket), { ...socketPeer(socket), presented });
    });
  };
  server.on("upgrade", upgrade);
  const bound = options.server ? url : await listenAt(server, url, url.protocol === "wss:" ? 443 : 80);

  const listener = channelListener({
    url: bound,
    channel: {
      transport: "ws",
      handler,
      limits,
      heartbeatMs,
      helloTimeoutMs,
      maxQueuedChars,
      resume: resumeOf(options),
      log,
      runtime,
    },
    sessions: {},
    stop() {
      server.off("upgrade", upgrade);
      paths.delete(url.pathname);
      if (options.server) return;
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  });
  return listener;
}

/** @throws ParleyError `invalid_argument` for `wss` without a certificate: every caller would fail, and not say why */
function requireCertificate({ protocol }: URL, { tls }: WsOptions): void {
  if (protocol !== "wss:" || tls?.cert || tls?.pfx) return;
  throw new ParleyError("invalid_argument", "wss needs a certificate: say ws({ tls: { cert, key } })", {
    outcome: "not-sent",
  });
}

function newServer(url: URL, { tls, maxConnections = 10_000 }: WsOptions): Server {
  const timeouts = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  };
  const server = url.protocol === "wss:" ? createSecureServer({ ...tls, ...timeouts }) : createServer(timeouts);
  server.maxConnections = maxConnections;
  server.on("request", (_request, response) => {
    response.writeHead(426, { "content-type": "text/plain", connection: "close", upgrade: "websocket" });
    response.end(`This is a Parley WebSocket listener: connect with a WebSocket of subprotocol ${SUBPROTOCOL}.\n`);
  });
  return server;
}

import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { listenAt, requireExposed, withPort } from "../../node/index.ts";
import { type CloseOptions, type Listener, ParleyError } from "../../transport/index.ts";
import { REQUEST_TIMEOUT_MS, type WebListenOptions } from "../options.ts";
import { basePath } from "../wire/base-path.ts";
import type { Endpoint } from "./endpoint.ts";
import { type Mounted, mount } from "./mount.ts";

/** Longest time between looks at heads that are late. */
const CHECK_INTERVAL_MS = 1_000;

/** How long an idle connection is kept. Clients that close theirs before never write to one that is just being closed. */
const KEEP_ALIVE_MS = 60_000;

/** After so much silence the kernel asks whether the peer is still there. */
const TCP_PROBE_MS = 15_000;

/** Time for last answers to leave, after the last call is over. */
const FLUSH_MS = 250;

/** How a wire listens. */
export interface WebListenInit {
  /** Whether the URL's scheme is the one with TLS. */
  readonly secure: boolean;
  /** Tells the wire's requests from those of others at the same path, see {@link Mounted.claims}. */
  readonly claims?: Mounted["claims"];
}

/** A server that was opened here, and those who listen on it. */
interface OpenPort {
  readonly key: string;
  readonly server: Server;
  readonly secure: boolean;
  listeners: number;
  /** Ends of those who listen no more. */
  readonly closing: Promise<void>[];
}

/** By host and port. */
const openPorts = new Map<string, OpenPort>();

/**
 * Answers calls at a URL: on the user's server, on a port that another wire of this process has opened already at the same address, or on
 * one of its own. Who came first has decided on TLS and on the bounds of connections.
 * @throws ParleyError `already_exists`, `failed_precondition`, `invalid_argument`
 */
export async function listenHttp(
  url: URL,
  endpoint: Endpoint,
  options: WebListenOptions,
  { secure, claims }: WebListenInit,
): Promise<Listener> {
  const { transport } = endpoint.wire;
  const base = basePath(url);
  const mounted: Mounted = {
    base,
    where: url.host + base,
    transport,
    claims,
    serve: (request, response, target) => endpoint.serve(request, response, target),
  };
  if (options.server) return onServer(options.server, url, endpoint, mounted);
  requireExposed(url, options.exposed ?? false, transport);
  const defaultPort = secure ? 443 : 80;
  const shared = url.port === "0" ? undefined : openPorts.get(keyOf(url, defaultPort));
  if (shared && shared.secure === secure) return onPort(shared, url, endpoint, mounted);
  if (secure && !options.tls?.cert && !options.tls?.pfx) {
    throw new ParleyError(
      "invalid_argument",
      `${url.protocol.slice(0, -1)} needs a certificate: say ${transport}({ tls: { cert, key } })`,
      { outcome: "not-sent" },
    );
  }
  const server = newServer(secure, options);
  const bound = await listenAt(server, url, defaultPort);
  const { log } = endpoint;
  // Such as having no file descriptor for another connection: those that are open go on.
  server.on("error", (error) => log?.({ level: "error", event: "listener-failed", message: error.message, error }));
  const key = keyOf(bound, defaultPort);
  const port: OpenPort = { key, server, secure, listeners: 0, closing: [] };
  openPorts.set(key, port);
  return onPort(port, bound, endpoint, mounted);
}

function keyOf({ hostname, port }: URL, defaultPort: number): string {
  return `${hostname} ${port === "" ? defaultPort : port}`;
}

/** The server stays its owner's: it is neither opened nor closed here. */
function onServer(server: Server, url: URL, endpoint: Endpoint, mounted: Mounted): Listener {
  const unmount = mount(server, mounted);
  return listenerOf(
    endpoint,
    () => withPort(url, server),
    (options) => endpoint.close(options).then(unmount),
  );
}

/** The last of those who listen closes the port. */
function onPort(port: OpenPort, url: URL, endpoint: Endpoint, mounted: Mounted): Listener {
  const { server } = port;
  const unmount = mount(server, mounted);
  port.listeners++;
  const bound = withPort(url, server);
  return listenerOf(
    endpoint,
    () => bound,
    async (options) => {
      const last = --port.listeners === 0;
      if (last) openPorts.delete(port.key);
      const closed = last ? new Promise<void>((resolve) => server.close(() => resolve())) : undefined;
      const drained = endpoint.close(options);
      port.closing.push(drained);
      if (!closed) return drained.then(unmount);
      await Promise.all(port.closing);
      server.closeIdleConnections();
      const cancelTimer = endpoint.runtime.setTimer(() => server.closeAllConnections(), FLUSH_MS);
      await closed;
      cancelTimer();
    },
  );
}

function listenerOf(
  endpoint: Endpoint,
  url: () => URL,
  shut: (options: CloseOptions | undefined) => Promise<void>,
): Listener {
  let closing: Promise<void> | undefined;
  const close = (options?: CloseOptions): Promise<void> => {
    closing ??= shut(options);
    return closing;
  };
  return {
    get url() {
      return url();
    },
    stats: () => endpoint.stats(),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

function newServer(
  secure: boolean,
  { tls, maxConnections = 10_000, requestTimeoutMs = REQUEST_TIMEOUT_MS }: WebListenOptions,
): Server {
  const settings = {
    headersTimeout: requestTimeoutMs,
    // Uploads last as long as they last; other bodies have their own bound.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, requestTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAlive: true,
    keepAliveInitialDelay: TCP_PROBE_MS,
  };
  const server = secure ? createSecureServer({ ...tls, ...settings }) : createServer(settings);
  server.maxConnections = maxConnections;
  // Node drops headers beyond this count without a word; their size is bounded, and too many are refused.
  server.maxHeadersCount = 0;
  return server;
}

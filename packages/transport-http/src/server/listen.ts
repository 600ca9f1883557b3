import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { listenAt, requireExposed, withPort } from "@parley/core/node";
import {
  type CloseOptions,
  type Handler,
  type Listener,
  type ListenOptions,
  ParleyError,
  type Runtime,
  systemRuntime,
} from "@parley/core/transport";
import { type HttpOptions, REQUEST_TIMEOUT_MS } from "../options.ts";
import { Endpoint } from "./endpoint.ts";
import { basePath, mount } from "./mount.ts";

/** Longest time between looks at heads that are late. */
const CHECK_INTERVAL_MS = 1_000;

/** How long an idle connection is kept. Clients that close theirs before never write to one that is just being closed. */
const KEEP_ALIVE_MS = 60_000;

/** After so much silence the kernel asks whether the peer is still there. */
const TCP_PROBE_MS = 15_000;

/** Time for last answers to leave, after the last call is over. */
const FLUSH_MS = 250;

/** Answers calls at a URL, on a port of its own or on the user's server. */
export async function listen(
  url: URL,
  handler: Handler,
  options: HttpOptions,
  { log, runtime = systemRuntime }: ListenOptions,
): Promise<Listener> {
  const base = basePath(url);
  if (options.server) return onServer(options.server, url, new Endpoint(handler, options, runtime, log), base);
  requireExposed(url, options.exposed ?? false, "http");
  if (url.protocol === "https:" && !options.tls?.cert && !options.tls?.pfx) {
    throw new ParleyError("invalid_argument", "https needs a certificate: say http({ tls: { cert, key } })", {
      outcome: "not-sent",
    });
  }
  const server = newServer(url, options);
  const endpoint = new Endpoint(handler, options, runtime, log);
  mount(server, base, (request, response, target) => endpoint.serve(request, response, target));
  const bound = await listenAt(server, url, url.protocol === "https:" ? 443 : 80);
  // Such as having no file descriptor for another connection: those that are open go on.
  server.on("error", (error) => log?.({ level: "error", event: "listener-failed", message: error.message, error }));
  let closing: Promise<void> | undefined;
  const close = (closeOptions?: CloseOptions): Promise<void> => {
    closing ??= shutDown(server, endpoint, runtime, closeOptions);
    return closing;
  };
  return { url: bound, stats: () => endpoint.stats(), close, [Symbol.asyncDispose]: () => close() };
}

/** The server stays its owner's: it is neither opened nor closed here. */
function onServer(server: Server, url: URL, endpoint: Endpoint, base: string): Listener {
  const unmount = mount(server, base, (request, response, target) => endpoint.serve(request, response, target));
  let closing: Promise<void> | undefined;
  const close = (closeOptions?: CloseOptions): Promise<void> => {
    closing ??= endpoint.close(closeOptions).then(unmount);
    return closing;
  };
  return {
    get url() {
      return withPort(url, server);
    },
    stats: () => endpoint.stats(),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

function newServer(
  url: URL,
  { tls, maxConnections = 10_000, requestTimeoutMs = REQUEST_TIMEOUT_MS }: HttpOptions,
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
  const server = url.protocol === "https:" ? createSecureServer({ ...tls, ...settings }) : createServer(settings);
  server.maxConnections = maxConnections;
  // Node drops headers beyond this count without a word; their size is bounded, and too many are refused.
  server.maxHeadersCount = 0;
  return server;
}

async function shutDown(
  server: Server,
  endpoint: Endpoint,
  runtime: Runtime,
  options: CloseOptions | undefined,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await endpoint.close(options);
  server.closeIdleConnections();
  const cancelTimer = runtime.setTimer(() => server.closeAllConnections(), FLUSH_MS);
  await closed;
  cancelTimer();
}

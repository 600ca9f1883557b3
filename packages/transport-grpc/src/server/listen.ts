import { createServer, type Socket, type Server as SocketServer } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import { type handleBidiStreamingCall, Server, ServerCredentials } from "@grpc/grpc-js";
import { listenAt, requireExposed } from "@parley/core/node";
import {
  type ChannelListener,
  type CloseOptions,
  channelListener,
  checkChannelOptions,
  type Handler,
  type Listener,
  type ListenOptions,
  ParleyError,
  type Runtime,
  systemRuntime,
} from "@parley/core/transport";
import { acceptedChannel } from "../channel/accepted-channel.ts";
import {
  type GrpcOptions,
  HEARTBEAT_MS,
  limitsOf,
  MAX_SESSION_MEMORY_MB,
  maxReceiveBytes,
  resumeOf,
} from "../options.ts";
import { eventFrames } from "../wire/event-frames.ts";
import { asBytes, CHANNEL_PATH } from "../wire/methods.ts";
import { Endpoint } from "./endpoint.ts";
import { Health } from "./health.ts";
import { addMethods } from "./methods.ts";
import { Peers } from "./peers.ts";
import { presentedIn } from "./presented-in.ts";
import { addReflection } from "./reflection.ts";
import { guardStreams } from "./stream-guard.ts";

/** Time for a TLS handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Time for last answers to leave, after the last call is over. */
const FLUSH_MS = 250;

/** Listens for gRPC, on a port of its own. */
export async function listen(
  url: URL,
  handler: Handler,
  options: GrpcOptions,
  { log, runtime = systemRuntime }: ListenOptions,
): Promise<Listener> {
  const { exposed = false, heartbeatMs, helloTimeoutMs = 5_000, maxQueuedChars, foreignTimeoutMs } = options;
  requireExposed(url, exposed, "grpc");
  requireSense(url, options);
  checkChannelOptions(options);
  const limits = limitsOf(options);
  const peers = new Peers();
  const sockets = newSockets(url, options);
  const server = newServer(options);
  const endpoint = new Endpoint({ handler, peers, limits, heartbeatMs, foreignTimeoutMs, runtime, log });
  const health = new Health();
  addMethods(server, endpoint);
  health.addTo(server);
  addReflection(server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  guardStreams(server, runtime);
  sockets.on("connection", (socket: Socket) => peers.connected(socket));
  sockets.on(url.protocol === "grpcs:" ? "secureConnection" : "connection", (socket: Socket) => {
    // HTTP/2 sees to the errors of a session; this is for one that ends before it is one.
    socket.on("error", () => {});
    peers.add(socket);
    injector.injectConnection(socket);
  });
  const bound = await listenAt(sockets, url, url.protocol === "grpcs:" ? 443 : 80).catch((thrown: unknown) => {
    server.forceShutdown();
    throw thrown;
  });
  // Such as having no file descriptor for another connection: those that are open go on.
  sockets.on("error", (error) => log?.({ level: "error", event: "listener-failed", message: error.message, error }));
  const channels = channelListener({
    url: bound,
    channel: {
      transport: "grpc",
      handler,
      limits,
      heartbeatMs,
      helloTimeoutMs,
      maxQueuedChars,
      resume: resumeOf(options),
      codec: eventFrames,
      log,
      runtime,
    },
    sessions: {},
    stop: () => {},
  });
  if (options.channel ?? true) addChannel(server, channels, peers, runtime);
  let closing: Promise<void> | undefined;
  const close = (closeOptions: CloseOptions = {}): Promise<void> => {
    closing ??= (async () => {
      const stopped = new Promise<void>((resolve) => sockets.close(() => resolve()));
      health.stop();
      await Promise.all([channels.close(closeOptions), endpoint.close(closeOptions)]);
      await shutDown(server, peers, stopped, runtime);
    })();
    return closing;
  };
  return {
    url: bound,
    stats() {
      const [a, b] = [channels.stats(), endpoint.stats()];
      return {
        ...a,
        openCalls: a.openCalls + b.openCalls,
        lateMessages: a.lateMessages + b.lateMessages,
        refusedMessages: a.refusedMessages + b.refusedMessages,
      };
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** The stream that carries all calls of another Parley. */
function addChannel(server: Server, channels: ChannelListener, peers: Peers, runtime: Runtime): void {
  const accept: handleBidiStreamingCall<Buffer, Buffer> = (stream) => {
    const name = stream.getPeer();
    const { address, principal, certifiedUntil } = peers.find(name);
    channels.accept(
      acceptedChannel(stream, runtime, () => peers.cut(name)),
      { address, principal, certifiedUntil, presented: presentedIn(stream.metadata) },
    );
  };
  server.register(CHANNEL_PATH, accept, asBytes, asBytes, "bidi");
}

/** @throws ParleyError `invalid_argument` for an address that gRPC does not have */
function requireSense({ protocol, pathname, search }: URL, { tls }: GrpcOptions): void {
  if (protocol === "grpcs:" && !tls?.cert && !tls?.pfx) {
    throw new ParleyError("invalid_argument", "grpcs needs a certificate: say grpc({ tls: { cert, key } })", {
      outcome: "not-sent",
    });
  }
  if (pathname.length > 1 || search !== "") {
    throw new ParleyError(
      "invalid_argument",
      `a gRPC address has no path and no query, and this has ${pathname}${search}`,
      {
        outcome: "not-sent",
      },
    );
  }
}

function newServer(options: GrpcOptions): Server {
  const { heartbeatMs = HEARTBEAT_MS, maxSessionMemoryMb = MAX_SESSION_MEMORY_MB } = options;
  const limits = limitsOf(options);
  return new Server({
    "grpc.max_receive_message_length": maxReceiveBytes(limits),
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": limits.maxCalls,
    "grpc.keepalive_time_ms": heartbeatMs,
    "grpc.keepalive_timeout_ms": heartbeatMs,
    "grpc-node.max_session_memory": maxSessionMemoryMb,
    "grpc.enable_channelz": 0,
  });
}

function newSockets({ protocol }: URL, { tls, maxConnections = 10_000 }: GrpcOptions): SocketServer {
  const { servername: _dialling, ...context } = tls ?? {};
  try {
    const sockets =
      protocol === "grpcs:"
        ? createSecureServer({ ...context, ALPNProtocols: ["h2"], handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
        : createServer();
    sockets.maxConnections = maxConnections;
    return sockets;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ParleyError("invalid_argument", `the certificates in the option tls cannot be used: ${why}`, {
      outcome: "not-sent",
      cause,
    });
  }
}

/** Lets go what is done: at once who hangs up, and in a moment who does not. */
async function shutDown(server: Server, peers: Peers, stopped: Promise<void>, runtime: Runtime): Promise<void> {
  const cancelTimer = runtime.setTimer(() => {
    server.forceShutdown();
    peers.cutAll();
  }, FLUSH_MS);
  // Its word that all is closed comes before the last answers have left; the sockets know better.
  server.tryShutdown(() => {});
  await stopped;
  cancelTimer();
}

import {
  type Connection,
  type ConnectOptions,
  cancelled,
  checkChannelOptions,
  dialChannel,
  HELLO,
  type Hello,
  helloData,
  type Limits,
  type OpenChannel,
  type ParleyError,
  PROFILE,
  type Presenter,
  presenterOf,
  type Runtime,
  readHello,
  systemRuntime,
  TransportError,
  toParleyError,
} from "@parley/core/transport";
import { dialledChannel } from "../channel/dialled-channel.ts";
import { dialOptions, type GrpcOptions, HEARTBEAT_MS, limitsOf, resumeOf } from "../options.ts";
import { eventFrames } from "../wire/event-frames.ts";
import { requireBare } from "./client-of.ts";
import { type Line, lineOf } from "./line.ts";
import { metadataOf, showing } from "./metadata-of.ts";
import { NativeConnection } from "./native-connection.ts";
import { adviceFor, unreachable } from "./unreachable.ts";

/** Opens a connection, showing who calls, and shakes hands: over one stream for all calls, with a peer that has none natively. */
export async function dial(url: URL, options: GrpcOptions, connect: ConnectOptions): Promise<Connection> {
  requireBare(url);
  checkChannelOptions(options);
  const { runtime = systemRuntime, connectTimeoutMs = 10_000 } = connect;
  const deadline = runtime.now() + connectTimeoutMs;
  const presenter = presenterOf(options.credentials);
  const once = (): Promise<Connection> => dialOnce(url, options, connect, presenter, deadline);
  return presenter ? presenter.dial(once) : once();
}

async function dialOnce(
  url: URL,
  options: GrpcOptions,
  connect: ConnectOptions,
  presenter: Presenter | undefined,
  deadline: number,
): Promise<Connection> {
  const { runtime = systemRuntime, signal } = connect;
  if (signal?.aborted) throw cancelled(signal.reason, "not-sent");
  const { channel: hasChannel = true } = options;
  const metadata = metadataOf(url, options);
  const patience = { timeoutMs: deadline - runtime.now(), signal, runtime };
  // Also where each call shows its own: when there is nothing to show, that is told as it is.
  const credential = await presenter?.presentWithin(patience);
  const line = lineOf(url, dialOptions(options));
  const dialling: Dialling = { url, options, connect, runtime, presenter, line };
  try {
    if (hasChannel) {
      const shown = credential ? showing(metadata, credential) : metadata;
      const channel = dialledChannel(line.client, shown, runtime);
      let carries = false;
      let over = false;
      // The connection may outlive the line, by another.
      const open: OpenChannel<Buffer> = (events) =>
        channel.open({
          ...events,
          closed(cause) {
            over = true;
            if (carries) line.close();
            events.closed(cause);
          },
        });
      const connection = await dialChannel(open, {
        ...channelOptions(dialling),
        helloTimeoutMs: Math.max(1, deadline - runtime.now()),
      }).catch((thrown: unknown) => {
        if (channel.isUnknown()) return undefined;
        throw thrown;
      });
      if (connection) {
        carries = true;
        if (over) line.close();
        return presenter ? Object.assign(connection, { renewal: presenter.renewal("dial") }) : connection;
      }
    }
    return await dialNatively(dialling, metadata, Math.max(1, deadline - runtime.now()));
  } catch (thrown) {
    line.close();
    if (signal?.aborted) throw cancelled(signal.reason, "not-sent");
    throw handshakeError(toParleyError(thrown), url, line.wasReady());
  }
}

interface Dialling {
  readonly url: URL;
  readonly options: GrpcOptions;
  readonly connect: ConnectOptions;
  readonly runtime: Runtime;
  readonly presenter: Presenter | undefined;
  readonly line: Line;
}

function channelOptions({ url, options, connect, runtime }: Dialling): Parameters<typeof dialChannel>[1] {
  const { heartbeatMs, maxQueuedChars } = options;
  const { handler, log, signal, session } = connect;
  return {
    transport: "grpc",
    address: url.host,
    handler,
    limits: limitsOf(options),
    heartbeatMs,
    maxQueuedChars,
    resume: resumeOf(options),
    session,
    codec: eventFrames,
    log,
    runtime,
    signal,
  };
}

async function dialNatively(
  { url, options, connect, runtime, presenter, line }: Dialling,
  metadata: ReturnType<typeof metadataOf>,
  timeoutMs: number,
): Promise<Connection> {
  const { heartbeatMs = HEARTBEAT_MS } = options;
  const limits = limitsOf(options);
  const connection = new NativeConnection({
    line,
    metadata,
    presenter,
    address: url.host,
    limits,
    heartbeatMs,
    runtime,
  });
  const abort = (): void => void connection.close({ graceMs: 0 });
  connect.signal?.addEventListener("abort", abort);
  try {
    const hello = await greet(connection, helloData({ limits, batchItems: 1, heartbeatMs }), timeoutMs);
    if (hello.heartbeatMs === undefined || options.keepaliveMs !== undefined) {
      connection.meet(hello);
      return connection;
    }
    const keepaliveMs = Math.max(Math.min(heartbeatMs, hello.heartbeatMs), MIN_KEEPALIVE_MS);
    return reconnected(
      { url, options: { ...options, keepaliveMs }, metadata, presenter, limits, heartbeatMs, runtime, hello },
      line,
    );
  } catch (thrown) {
    await connection.close({ graceMs: 0 });
    throw thrown;
  } finally {
    connect.signal?.removeEventListener("abort", abort);
  }
}

/** A peer does not make this side ask more often than so. */
const MIN_KEEPALIVE_MS = 250;

/** A peer that says how often it shows a sign of life puts up with being asked for one, which gRPC wants to know before it connects. */
function reconnected(
  { url, options, metadata, presenter, limits, heartbeatMs, runtime, hello }: Reconnecting,
  first: Line,
): Connection {
  const line = lineOf(url, dialOptions(options));
  line.client.getChannel().getConnectivityState(true);
  first.close();
  const connection = new NativeConnection({
    line,
    metadata,
    presenter,
    address: url.host,
    limits,
    heartbeatMs,
    runtime,
  });
  connection.meet(hello);
  return connection;
}

interface Reconnecting {
  readonly url: URL;
  readonly options: GrpcOptions;
  readonly metadata: ReturnType<typeof metadataOf>;
  readonly presenter: Presenter | undefined;
  readonly limits: Limits;
  readonly heartbeatMs: number;
  readonly runtime: Runtime;
  readonly hello: Hello;
}

/** A server that knows the methods but not the handshake says nothing of itself. */
async function greet(connection: NativeConnection, data: object, timeoutMs: number): Promise<Hello> {
  try {
    const answer = await connection.request(HELLO, timeoutMs, data);
    return readHello(answer.data);
  } catch (thrown) {
    const { code, outcome } = toParleyError(thrown);
    const foreign =
      outcome === "rejected" && (code === "unimplemented" || code === "not_found" || code === "invalid_argument");
    if (foreign) return { profile: PROFILE };
    throw thrown;
  }
}

/** Why a handshake failed. Nothing of the application's was sent. */
function handshakeError(error: ParleyError, url: URL, reached: boolean): ParleyError {
  const { code, message, details, retryAfterMs } = error;
  const options = { outcome: "not-sent", details, retryAfterMs, cause: error } as const;
  switch (code) {
    case "failed_precondition":
    case "unauthenticated":
    case "permission_denied":
      return error;
    case "deadline_exceeded": {
      const advice = reached ? "" : adviceFor(url);
      return new TransportError(code, `${url.host} did not answer the handshake in time: ${message}${advice}`, options);
    }
  }
  if (!reached) return unreachable(error, url);
  return new TransportError("unavailable", `no Parley answers at ${url.href}: ${message}`, options);
}

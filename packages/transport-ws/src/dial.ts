import {
  type Connection,
  type ConnectOptions,
  channelLimits,
  checkHeaders,
  dialChannel,
  presenterOf,
  systemRuntime,
} from "@parley/core/transport";
import { CLOSE_TIMEOUT_MS, resumeOf, SUBPROTOCOL } from "./call-options.ts";
import { openSocket } from "./open-socket.ts";
import type { WsOptions } from "./options.ts";
import { socketChannel } from "./socket-channel.ts";

/** Opens a WebSocket, showing who calls, and shakes hands over it. */
export async function dial(url: URL, options: WsOptions, connect: ConnectOptions): Promise<Connection> {
  const { handler, log, runtime = systemRuntime, connectTimeoutMs = 10_000, signal, session } = connect;
  const { credentials, headers, tls, limits = channelLimits, heartbeatMs, maxQueuedChars } = options;
  checkHeaders(headers, credentials);
  const presenter = presenterOf(credentials);
  const deadline = runtime.now() + connectTimeoutMs;
  const open = {
    credentials,
    presenter,
    headers,
    tls,
    protocols: [SUBPROTOCOL],
    maxMessageBytes: limits.maxMessageBytes,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
    compression: false,
    connectTimeoutMs,
    signal,
    runtime,
  };
  const connection = await openSocket(url, open, (webSocket, socket) =>
    dialChannel(socketChannel(webSocket, socket), {
      transport: "ws",
      address: url.host,
      handler,
      limits,
      heartbeatMs,
      maxQueuedChars,
      resume: resumeOf(options),
      session,
      helloTimeoutMs: Math.max(1, deadline - runtime.now()),
      log,
      runtime,
      signal,
    }),
  );
  return presenter ? Object.assign(connection, { renewal: presenter.renewal("dial") }) : connection;
}

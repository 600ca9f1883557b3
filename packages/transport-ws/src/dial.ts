import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import {
  AuthenticationError,
  type Connection,
  type ConnectOptions,
  cancelled,
  channelLimits,
  dialChannel,
  ParleyError,
  systemRuntime,
  TransportError,
} from "@parley/core/transport";
import { type ClientOptions, WebSocket } from "ws";
import { CLOSE_TIMEOUT_MS, SUBPROTOCOL, type WsOptions } from "./options.ts";
import { socketChannel } from "./socket-channel.ts";

/** Opens a WebSocket and shakes hands over it. */
export function dial(url: URL, options: WsOptions, connect: ConnectOptions): Promise<Connection> {
  const { handler, log, runtime = systemRuntime, connectTimeoutMs = 10_000, signal } = connect;
  const { limits = channelLimits, heartbeatMs, maxQueuedChars } = options;
  const deadline = runtime.now() + connectTimeoutMs;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal.reason, "not-sent"));
    const webSocket = createWebSocket(url, options);
    const fail = (error: ParleyError): void => {
      settled();
      reject(error);
      webSocket.terminate();
    };
    const abort = (): void => fail(cancelled(signal?.reason, "not-sent"));
    const cancelTimer = runtime.setTimer(() => fail(timedOut(url, connectTimeoutMs)), Math.max(0, connectTimeoutMs));
    const settled = (): void => {
      cancelTimer();
      signal?.removeEventListener("abort", abort);
    };
    signal?.addEventListener("abort", abort);
    let socket: Socket | undefined;
    webSocket.once("upgrade", (response: IncomingMessage) => {
      socket = response.socket;
    });
    webSocket.once("unexpected-response", (_request, response: IncomingMessage) => {
      fail(refusal(url, response.statusCode ?? 0));
      response.destroy();
    });
    // Stays for good: a socket without a listener for its errors would end the process.
    webSocket.on("error", (error) => fail(dialError(url, error)));
    // In this turn, since the first frames may be in it.
    webSocket.once("open", () => {
      settled();
      const connection = dialChannel(socketChannel(webSocket, socket as Socket), {
        transport: "ws",
        address: url.host,
        handler,
        limits,
        heartbeatMs,
        maxQueuedChars,
        helloTimeoutMs: Math.max(1, deadline - runtime.now()),
        log,
        runtime,
        signal,
      });
      resolve(connection);
    });
  });
}

/** @throws ParleyError `invalid_argument` for what cannot be dialled at all */
function createWebSocket(url: URL, { headers, tls, limits = channelLimits }: WsOptions): WebSocket {
  const target = new URL(url);
  target.hash = "";
  // `closeTimeout` is an option of ws 8.19 and later that its types do not know yet.
  const options: ClientOptions & { closeTimeout: number } = {
    ...tls,
    ...(headers ? { headers } : {}),
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  try {
    return new WebSocket(target, [SUBPROTOCOL], options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ParleyError("invalid_argument", `${url.host} cannot be dialled so: ${why}`, {
      outcome: "not-sent",
      cause,
    });
  }
}

function timedOut(url: URL, timeoutMs: number): ParleyError {
  const message = `${url.host} did not complete the WebSocket handshake within ${timeoutMs} ms`;
  return new TransportError("deadline_exceeded", message, { outcome: "not-sent" });
}

function refusal(url: URL, status: number): ParleyError {
  const answered = `${url.href} answered the WebSocket handshake with HTTP status ${status}`;
  if (status === 401)
    return new AuthenticationError("unauthenticated", `${answered}: give credentials (option headers)`);
  if (status === 403) return new AuthenticationError("permission_denied", answered);
  if (status === 503) return new TransportError("unavailable", answered, { outcome: "not-sent" });
  return new TransportError("unavailable", `${answered}; is a Parley WebSocket listener at this address and path?`, {
    outcome: "not-sent",
  });
}

function dialError(url: URL, error: Error & { readonly code?: string }): ParleyError {
  const options = { outcome: "not-sent", cause: error } as const;
  switch (error.code) {
    case "ECONNREFUSED":
      return new TransportError("unavailable", `nothing listens at ${url.host} (connection refused)`, options);
    case "ENOTFOUND":
      return new TransportError("unavailable", `the host name ${url.hostname} is not known`, options);
    default:
      return new TransportError(
        "unavailable",
        `${url.href} is no WebSocket listener that speaks ${SUBPROTOCOL}: ${error.message}`,
        options,
      );
  }
}

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import {
  AuthenticationError,
  type Connection,
  type ConnectOptions,
  cancelled,
  channelLimits,
  dialChannel,
  type ParleyError,
  systemRuntime,
  TransportError,
} from "@parley/core/transport";
import { type ClientOptions, WebSocket } from "ws";
import { CLOSE_TIMEOUT_MS, SUBPROTOCOL, type WsOptions } from "./options.ts";
import { socketChannel } from "./socket-channel.ts";

/** Opens a WebSocket and shakes hands over it. */
export async function dial(url: URL, options: WsOptions, connect: ConnectOptions): Promise<Connection> {
  const { handler, log, runtime = systemRuntime, connectTimeoutMs = 10_000, signal } = connect;
  const { limits = channelLimits, heartbeatMs, maxQueuedChars } = options;
  const deadline = runtime.now() + connectTimeoutMs;
  const { webSocket, socket } = await openSocket(url, options, connectTimeoutMs, signal);
  return dialChannel(socketChannel(webSocket, socket), {
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
}

interface OpenSocket {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
}

function openSocket(
  url: URL,
  options: WsOptions,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<OpenSocket> {
  const { headers, tls, limits = channelLimits } = options;
  // `closeTimeout` is an option of ws 8.19 and later that its types do not know yet.
  const clientOptions: ClientOptions & { closeTimeout: number } = {
    ...tls,
    ...(headers ? { headers } : {}),
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    handshakeTimeout: timeoutMs,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal.reason, "not-sent"));
    const webSocket = new WebSocket(url, [SUBPROTOCOL], clientOptions);
    const abort = () => fail(cancelled(signal?.reason, "not-sent"));
    const fail = (error: ParleyError) => {
      signal?.removeEventListener("abort", abort);
      reject(error);
      webSocket.terminate();
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
    webSocket.on("error", (error) => fail(dialError(url, error, timeoutMs)));
    webSocket.once("open", () => {
      signal?.removeEventListener("abort", abort);
      webSocket.removeAllListeners("error");
      if (socket) resolve({ webSocket, socket });
    });
  });
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

function dialError(url: URL, error: Error & { readonly code?: string }, timeoutMs: number): ParleyError {
  const options = { outcome: "not-sent", cause: error } as const;
  switch (error.code) {
    case "ECONNREFUSED":
      return new TransportError("unavailable", `nothing listens at ${url.host} (connection refused)`, options);
    case "ENOTFOUND":
      return new TransportError("unavailable", `the host name ${url.hostname} is not known`, options);
    default:
      return error.message.includes("timed out")
        ? new TransportError(
            "deadline_exceeded",
            `${url.host} did not complete the WebSocket handshake within ${timeoutMs} ms`,
            options,
          )
        : new TransportError(
            "unavailable",
            `${url.href} is no WebSocket listener that speaks ${SUBPROTOCOL}: ${error.message}`,
            options,
          );
  }
}

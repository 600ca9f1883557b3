import {
  type Connection,
  type ConnectOptions,
  cancelled,
  HELLO,
  helloData,
  ParleyError,
  readHello,
  systemRuntime,
  TransportError,
  toParleyError,
} from "@parley/core/transport";
import { HEARTBEAT_MS, type HttpOptions, httpLimits } from "../options.ts";
import { HttpConnection } from "./http-connection.ts";
import { Sockets } from "./sockets.ts";

/** Opens a connection and shakes hands. */
export async function dial(url: URL, options: HttpOptions, connect: ConnectOptions): Promise<Connection> {
  const { connectTimeoutMs = 10_000, signal, runtime = systemRuntime } = connect;
  const { limits = httpLimits, heartbeatMs = HEARTBEAT_MS, headers = {} } = options;
  if (url.username !== "" || url.password !== "") {
    throw new ParleyError(
      "invalid_argument",
      `${url.host}: credentials do not belong into a URL; give them in the option headers`,
      { outcome: "not-sent" },
    );
  }
  if (signal?.aborted) throw cancelled(signal.reason, "not-sent");
  const connection = new HttpConnection({
    sockets: new Sockets(url.origin, { tls: options.tls, connectTimeoutMs }),
    url,
    base: url.pathname.replace(/\/+$/, ""),
    headers: Object.entries(headers).flat(),
    limits,
    heartbeatMs,
    runtime,
  });
  const abort = () => void connection.close({ graceMs: 0 });
  signal?.addEventListener("abort", abort);
  try {
    const { data } = await connection.request(HELLO, {
      data: helloData({ limits, batchItems: 1, heartbeatMs }),
      timeoutMs: connectTimeoutMs,
    });
    connection.meet(readHello(data), options.batch ? batchCallsOf(data) : undefined);
    return connection;
  } catch (thrown) {
    await connection.close({ graceMs: 0 });
    throw signal?.aborted
      ? cancelled(signal.reason, "not-sent")
      : handshakeError(toParleyError(thrown), url, connectTimeoutMs);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** How many messages the peer takes in one request, if it does; at least two, or there is no point. */
function batchCallsOf(data: unknown): number | undefined {
  const { batchCalls } = (data ?? {}) as { readonly batchCalls?: unknown };
  return Number.isSafeInteger(batchCalls) && (batchCalls as number) > 1 ? (batchCalls as number) : undefined;
}

/** Why a handshake failed. Nothing of the application's was sent. */
function handshakeError(error: ParleyError, url: URL, timeoutMs: number): ParleyError {
  const { code, message, details } = error;
  const options = { outcome: "not-sent", details, cause: error } as const;
  switch (code) {
    case "failed_precondition":
    case "unauthenticated":
    case "permission_denied":
      return error;
    case "deadline_exceeded":
      return new TransportError(
        "deadline_exceeded",
        `${url.host} did not answer the handshake within ${timeoutMs} ms; is it a Parley at all?`,
        options,
      );
    default:
      return new TransportError("unavailable", `no Parley answers at ${url.href}: ${message}`, options);
  }
}

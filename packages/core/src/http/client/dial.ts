import {
  type Connection,
  type ConnectOptions,
  cancelled,
  checkHeaders,
  type Envelope,
  HELLO,
  helloData,
  ParleyError,
  presenterOf,
  systemRuntime,
  TransportError,
  toParleyError,
} from "../../transport/index.ts";
import { HEARTBEAT_MS, type WebCallOptions, webLimits } from "../call-options.ts";
import { basePath } from "../wire/base-path.ts";
import type { ClientWire } from "./client-wire.ts";
import { HttpConnection } from "./http-connection.ts";
import type { HttpSocket } from "./socket.ts";
import { Sockets } from "./sockets.ts";

/** How a wire dials. */
export interface WebDialInit {
  /** Opens a socket to the origin of the address. */
  readonly open: (connectTimeoutMs: number) => HttpSocket;
  /** Makes what is particular to the wire. */
  readonly wire: (connection: HttpConnection) => ClientWire;
}

/** Opens a connection and shakes hands. */
export async function dialHttp(
  url: URL,
  options: WebCallOptions,
  connect: ConnectOptions,
  { open, wire }: WebDialInit,
): Promise<Connection> {
  const { connectTimeoutMs = 10_000, signal, runtime = systemRuntime } = connect;
  const { limits = webLimits, heartbeatMs = HEARTBEAT_MS, headers = {}, credentials } = options;
  if (url.username !== "" || url.password !== "") {
    throw new ParleyError(
      "invalid_argument",
      `${url.host}: credentials do not belong into a URL; give them in the option credentials`,
      { outcome: "not-sent" },
    );
  }
  checkHeaders(headers, credentials);
  const deadline = runtime.now() + connectTimeoutMs;
  const presenter = presenterOf(credentials);
  // Apart from the handshake, so that it is not taken for the peer's failure when there is nothing to show.
  if (presenter) await presenter.presentWithin({ timeoutMs: connectTimeoutMs, signal, runtime });
  if (signal?.aborted) throw cancelled(signal.reason, "not-sent");
  const connection = new HttpConnection({
    sockets: new Sockets(() => open(connectTimeoutMs)),
    url,
    base: basePath(url),
    headers: Object.entries(headers).flat(),
    presenter,
    limits,
    heartbeatMs,
    runtime,
    wire,
  });
  const abort = () => void connection.close({ graceMs: 0 });
  signal?.addEventListener("abort", abort);
  try {
    const hello = (): Promise<Envelope> =>
      connection.request(HELLO, {
        data: helloData({ limits, batchItems: 1, heartbeatMs }),
        timeoutMs: Math.max(1, deadline - runtime.now()),
      });
    const { data } = await (presenter ? presenter.dial(hello) : hello());
    await connection.meet(data);
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

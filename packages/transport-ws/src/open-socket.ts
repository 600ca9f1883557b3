import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type Credential, cancelled, type ParleyError, withCertificate } from "@parley/core/transport";
import { type ClientOptions, WebSocket } from "ws";
import type { Opening } from "./dial.ts";
import { dialError, refusal, undiallable } from "./dial-error.ts";
import { timedOut } from "./handshake-timeout.ts";
import type { WsDialOptions } from "./options.ts";

/** How a WebSocket is dialled. */
export interface OpenSocketOptions extends WsDialOptions, Opening {
  /** Subprotocols to offer, the most wanted first. */
  readonly protocols: readonly string[];
  readonly maxMessageBytes: number;
  /** How long the peer may take to answer a closing handshake. */
  readonly closeTimeoutMs: number;
  /** Whether permessage-deflate is offered; without context takeover, so that a connection at rest holds no window. */
  readonly compression: boolean;
}

/**
 * Takes over an open WebSocket and the TCP (or TLS) socket below it, in the turn in which it opened, since the first messages may be in it.
 */
export type Adopt<Adopted> = (webSocket: WebSocket, socket: Socket) => Adopted | PromiseLike<Adopted>;

/**
 * Dials a WebSocket, showing who calls; once more when that is refused and there is something else to show. Resolves with what `adopt` makes of it;
 * when it fails nothing stays open.
 * @throws ParleyError `unavailable`, `deadline_exceeded`, `resource_exhausted`, `cancelled`, `invalid_argument`, all `not-sent`;
 * `unauthenticated`, `permission_denied`
 */
export async function openSocket<Adopted>(
  url: URL,
  options: OpenSocketOptions,
  adopt: Adopt<Adopted>,
): Promise<Adopted> {
  const { presenter, connectTimeoutMs, signal, runtime } = options;
  if (!presenter) return open(url, options, undefined, adopt);
  const deadline = runtime.now() + connectTimeoutMs;
  return presenter.dial(async () => {
    const credential = await presenter.presentWithin({ timeoutMs: deadline - runtime.now(), signal, runtime });
    return open(url, { ...options, connectTimeoutMs: deadline - runtime.now() }, credential, adopt);
  });
}

function open<Adopted>(
  url: URL,
  options: OpenSocketOptions,
  credential: Credential | undefined,
  adopt: Adopt<Adopted>,
): Promise<Adopted> {
  const { connectTimeoutMs, signal, runtime, protocols } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal.reason, "not-sent"));
    let webSocket: WebSocket;
    try {
      webSocket = createWebSocket(url, options, credential);
    } catch (cause) {
      return reject(undiallable(url, cause));
    }
    let over = false;
    const settled = (): void => {
      over = true;
      cancelTimer();
      signal?.removeEventListener("abort", abort);
    };
    const fail = (error: ParleyError): void => {
      // Errors of an open WebSocket are for whoever adopted it.
      if (over) return;
      settled();
      reject(error);
      webSocket.terminate();
    };
    const abort = (): void => fail(cancelled(signal?.reason, "not-sent"));
    const cancelTimer = runtime.setTimer(() => fail(timedOut(url, connectTimeoutMs)), Math.max(0, connectTimeoutMs));
    signal?.addEventListener("abort", abort);

    let socket: Socket | undefined;
    webSocket.once("upgrade", (response: IncomingMessage) => {
      socket = response.socket;
    });
    webSocket.once("unexpected-response", (_request, response: IncomingMessage) => {
      fail(refusal(url, response.statusCode ?? 0, response.headers["retry-after"]));
      response.destroy();
    });
    // Stays for good: a socket without a listener for its errors would end the process.
    webSocket.on("error", (error) => fail(dialError(url, protocols, error)));
    webSocket.once("open", () => {
      settled();
      resolve(adopt(webSocket, socket as Socket));
    });
  });
}

function createWebSocket(url: URL, options: OpenSocketOptions, credential: Credential | undefined): WebSocket {
  const { headers, credentials, tls, protocols, maxMessageBytes, closeTimeoutMs, compression } = options;
  const target = new URL(url);
  target.hash = "";
  // `closeTimeout` is an option of ws 8.19 and later that its types do not know yet.
  const clientOptions: ClientOptions & { closeTimeout: number } = {
    ...withCertificate(tls, credentials),
    headers: { ...headers, ...(credential && Object.fromEntries([credential.header()])) },
    perMessageDeflate: compression && { serverNoContextTakeover: true, clientNoContextTakeover: true },
    maxPayload: maxMessageBytes,
    closeTimeout: closeTimeoutMs,
  };
  return new WebSocket(target, [...protocols], clientOptions);
}

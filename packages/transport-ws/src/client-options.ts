import type { CloseOptions, Log, PolicyOptions, ReconnectOptions, Runtime } from "@parley/core/transport";
import type { WebSocketFormat } from "./message-format.ts";
import type { WsDialOptions } from "./options.ts";

/** How a {@link WebSocketClient} comes back after a cut. */
export interface WebSocketReconnectOptions extends Pick<ReconnectOptions, "baseMs" | "maxMs" | "maxAttempts"> {
  /**
   * Close codes of the peer after which it does not. @default 1000 (it is done), 1008 (a rule was broken), 4401 and 4403 (as 401 and 403 of HTTP)
   */
  readonly finalCodes?: readonly number[] | undefined;
}

/** Options of {@link WebSocketClient}. */
export interface WebSocketClientOptions<Format extends WebSocketFormat = "json"> extends WsDialOptions, PolicyOptions {
  /** `ws:` or `wss:` */
  readonly url: string | URL;
  /** What a message is: JSON, text, binary, or text and binary as they come. @default "json" */
  readonly format?: Format | undefined;
  /** Subprotocols to offer, the most wanted first; the peer has to take one. @default none */
  readonly protocols?: readonly string[] | undefined;
  /** Time for the connection and the handshake together, ms. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** How long the peer may take to answer a closing handshake, ms. @default 2_000 */
  readonly closeTimeoutMs?: number | undefined;
  /** Longest silence of the peer before it is pinged, ms; `false`: it never is. @default 15_000 */
  readonly pingIntervalMs?: number | false | undefined;
  /** How long it may then stay silent, ms, before the connection counts as lost. @default 10_000 */
  readonly pingTimeoutMs?: number | undefined;
  /** Largest message either way, in bytes, inflated; a larger one of the peer ends the connection with 1009. @default 4 MiB */
  readonly maxMessageBytes?: number | undefined;
  /** Offers permessage-deflate. @default false */
  readonly compression?: boolean | undefined;
  /** Time for an operation that names none, ms; `receive` and iteration wait for as long as it takes. @default 10_000 */
  readonly timeoutMs?: number | undefined;
  /** How much may wait to be sent, in bytes, each message counted with 64 more; one message may, whatever its size. @default 1 MiB */
  readonly maxQueuedBytes?: number | undefined;
  /** When that much waits: a message waits for room, or is refused with `resource_exhausted`. @default "wait" */
  readonly whenQueueFull?: "wait" | "reject" | undefined;
  /** Messages that may wait once there is no more room; one more is refused with `resource_exhausted`. @default 1_024 */
  readonly maxWaiting?: number | undefined;
  /** How much may wait to be read, in bytes, each message counted with 64 more. @default 1 MiB */
  readonly maxUnreadBytes?: number | undefined;
  /**
   * When that much waits: the socket is read no further, so that in the end the peer has to wait (what it has read, 64 KiB at most, is still taken);
   * or the oldest messages are dropped, and counted. @default "pause"
   */
  readonly overflow?: "pause" | "drop-oldest" | undefined;
  /** How it comes back after a cut; `false`: it does not. @default it does, see {@link WebSocketReconnectOptions} */
  readonly reconnect?: WebSocketReconnectOptions | false | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** How a {@link WebSocketClient} is closed. */
export interface WebSocketCloseOptions extends CloseOptions {
  /** 1000, or 3000 to 4999. @default 1000 */
  readonly code?: number | undefined;
  /** At most 123 bytes. */
  readonly reason?: string | undefined;
}

import {
  type CloseOptions,
  checkHeaders,
  choiceOption,
  knownOptions,
  type Log,
  type OptionNames,
  ParleyError,
  type PolicyOptions,
  presenterOf,
  type ReconnectOptions,
  type Runtime,
} from "@parley/core/transport";
import type { WebSocketFormat } from "./message-format.ts";
import type { OpenSocketOptions } from "./open-socket.ts";
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

/** The options that are numbers, complete. */
export interface ClientPolicy {
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly pingIntervalMs: number | undefined;
  readonly pingTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly maxQueuedBytes: number;
  readonly maxWaiting: number;
  readonly maxUnreadBytes: number;
}

const MIB = 1024 * 1024;

/**
 * Completes the options.
 * @throws ParleyError `invalid_argument` for a number that makes no sense
 */
export function clientPolicy(options: WebSocketClientOptions<WebSocketFormat>): ClientPolicy {
  knownOptions("WebSocketClient", options, optionNames);
  const { pingIntervalMs = 15_000 } = options;
  choiceOption("format", options.format ?? "json", ["json", "text", "binary", "any"]);
  choiceOption("whenQueueFull", options.whenQueueFull ?? "wait", ["wait", "reject"]);
  choiceOption("overflow", options.overflow ?? "pause", ["pause", "drop-oldest"]);
  const policy = {
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    timeoutMs: options.timeoutMs ?? 10_000,
    closeTimeoutMs: options.closeTimeoutMs ?? 2_000,
    pingIntervalMs: pingIntervalMs === false ? undefined : pingIntervalMs,
    pingTimeoutMs: options.pingTimeoutMs ?? 10_000,
    maxMessageBytes: options.maxMessageBytes ?? 4 * MIB,
    maxQueuedBytes: options.maxQueuedBytes ?? MIB,
    maxWaiting: options.maxWaiting ?? 1_024,
    maxUnreadBytes: options.maxUnreadBytes ?? MIB,
  };
  for (const [name, value] of Object.entries(policy)) {
    if (value === undefined || (typeof value === "number" && value > 0)) continue;
    throw new ParleyError("invalid_argument", `${name} must be a positive number, and is ${String(value)}`, {
      outcome: "not-sent",
    });
  }
  return policy;
}

const optionNames: OptionNames<WebSocketClientOptions<WebSocketFormat>> = {
  url: true,
  format: true,
  protocols: true,
  headers: true,
  credentials: true,
  tls: true,
  connectTimeoutMs: true,
  closeTimeoutMs: true,
  pingIntervalMs: true,
  pingTimeoutMs: true,
  maxMessageBytes: true,
  compression: true,
  timeoutMs: true,
  maxQueuedBytes: true,
  whenQueueFull: true,
  maxWaiting: true,
  maxUnreadBytes: true,
  overflow: true,
  reconnect: true,
  retry: true,
  use: true,
  log: true,
  runtime: true,
};

/**
 * What every dial of a client takes.
 * @throws ParleyError `invalid_argument` when credentials and headers both say who calls
 */
export function dialOptions(
  { credentials, headers, tls, protocols = [], compression = false }: WebSocketClientOptions<WebSocketFormat>,
  policy: ClientPolicy,
  runtime: Runtime,
): Omit<OpenSocketOptions, "signal"> {
  checkHeaders(headers, credentials);
  if (!Array.isArray(protocols)) {
    throw new ParleyError("invalid_argument", `protocols must be a list, ["chat"], and is ${typeof protocols}`, {
      outcome: "not-sent",
    });
  }
  const presenter = presenterOf(credentials);
  return { ...policy, credentials, presenter, headers, tls, protocols, compression, runtime };
}

/** @throws ParleyError `invalid_argument` for what is no URL of a WebSocket */
export function webSocketUrl(address: string | URL): URL {
  const url = URL.parse(String(address));
  const problem =
    url === null
      ? "is no URL"
      : url.protocol !== "ws:" && url.protocol !== "wss:"
        ? `begins with ${url.protocol}`
        : url.username !== "" || url.password !== ""
          ? "has credentials in it: give them in the option credentials"
          : undefined;
  if (url && problem === undefined) return url;
  throw new ParleyError("invalid_argument", `the option url, ws://host/path or wss://host/path, ${problem}`, {
    outcome: "not-sent",
  });
}

/** @throws ParleyError `invalid_argument` for a code or a reason that a close frame of a client cannot have */
export function checkClose({ code = 1000, reason = "" }: WebSocketCloseOptions): void {
  const known = code === 1000 || (Number.isInteger(code) && code >= 3000 && code <= 4999);
  if (known && Buffer.byteLength(reason) <= 123) return;
  const what = known ? "reason takes at most 123 bytes" : `code must be 1000, or 3000 to 4999, and is ${code}`;
  throw new ParleyError("invalid_argument", what, { outcome: "not-sent" });
}

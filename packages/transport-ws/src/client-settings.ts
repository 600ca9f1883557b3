import {
  checkHeaders,
  choiceOption,
  knownOptions,
  type OptionNames,
  ParleyError,
  presenterOf,
  type Runtime,
} from "@parley/core/transport";
import type { WebSocketClientOptions, WebSocketCloseOptions } from "./client-options.ts";
import type { WebSocketFormat } from "./message-format.ts";
import type { OpenSocketOptions } from "./open-socket.ts";

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

import type { WebTls } from "../options.ts";

/** How long an idle socket is kept for the next call, unless the server says how long it keeps its end. */
const KEEP_ALIVE_MS = 10_000;

/** After so much silence the kernel asks whether the peer is still there. */
const TCP_PROBE_MS = 15_000;

/** Options of undici's `Client`, which is what sockets are here. */
export interface SocketOptions {
  readonly connect: WebTls & {
    readonly allowH2: boolean;
    readonly timeout: number;
    readonly keepAlive: boolean;
    readonly keepAliveInitialDelay: number;
  };
  readonly allowH2: boolean;
  readonly pipelining: number;
  readonly keepAliveTimeout: number;
  readonly keepAliveMaxTimeout?: number;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
}

/**
 * How sockets are opened and kept.
 * @param idleTimeoutMs how long an idle one is kept at most, whatever the server says.
 */
export function socketOptions(
  tls: WebTls | undefined,
  connectTimeoutMs: number,
  idleTimeoutMs?: number,
): SocketOptions {
  return {
    connect: {
      ...tls,
      allowH2: false,
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: TCP_PROBE_MS,
    },
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: idleTimeoutMs ?? KEEP_ALIVE_MS,
    ...(idleTimeoutMs === undefined ? {} : { keepAliveMaxTimeout: idleTimeoutMs }),
    // Deadlines and heartbeats see to what takes too long.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
}

import type { Credentials, Limits, OptionNames } from "../transport/index.ts";

/** Options of both ends. */
export interface SharedOptions {
  /** What this side bears. @default {@link webLimits} */
  readonly limits?: Limits | undefined;
  /**
   * Longest silence, ms: an answering stream without items shows a sign of life so often, and a caller who has heard nothing for so long
   * asks for one. A peer silent for twice that is given up. @default 15_000
   */
  readonly heartbeatMs?: number | undefined;
}

/** Options for making calls by HTTP requests, by sockets or by `fetch`. */
export interface WebCallOptions extends SharedOptions {
  /** Dialling: what proves who calls, shown anew with every request; a certificate, with every connection. Never sent to another host. */
  readonly credentials?: Credentials | undefined;
  /** Dialling: headers of every request. Never sent to another host: redirects are not followed. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The names of {@link WebCallOptions}. */
export const webCallOptionNames: OptionNames<WebCallOptions> = {
  limits: true,
  heartbeatMs: true,
  credentials: true,
  headers: true,
};

/**
 * What HTTP bears unless it says otherwise. The window is what the kernel's buffers hold for a reader who takes nothing: up to 10 MiB on Linux's
 * loopback, in items as short as events get.
 */
export const webLimits: Limits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxCalls: 1_024,
  windowItems: 131_072,
  windowBytes: 16 * 1024 * 1024,
};

/** What both ends take for the longest silence unless told otherwise, ms. */
export const HEARTBEAT_MS = 15_000;

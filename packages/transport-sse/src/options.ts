import {
  type WebDialOptions,
  type WebHandlerOptions,
  type WebListenOptions,
  type WebTls,
  webLimits,
} from "@parley/core/http";
import type { Limits } from "@parley/core/transport";

/** Certificates for `sses`, as `node:tls` has them. */
export interface SseTls extends WebTls {}

/** Options for answering calls. */
export interface SseHandlerOptions extends WebHandlerOptions {
  /**
   * Listening: how long a stream that was cut waits for its reader to come back; what is kept for it has bounds of its own. Dialling: how
   * long this side tries, at most what the peer offers. ms. @default 30_000
   */
  readonly resumeWindowMs?: number | undefined;
}

/** Options of {@link sse}. */
export interface SseOptions extends SseHandlerOptions, WebDialOptions, WebListenOptions {
  /** Certificates for `sses`. */
  readonly tls?: SseTls | undefined;
}

/** What SSE bears unless it says otherwise: as much as HTTP, which it is. */
export const sseLimits: Limits = webLimits;

/** What both ends take for the window unless told otherwise, ms. */
export const RESUME_WINDOW_MS = 30_000;

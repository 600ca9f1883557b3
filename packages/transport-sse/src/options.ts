import type { WebDialOptions, WebHandlerOptions, WebListenOptions, WebTls } from "@parley/core/http";

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

import type { WebDialOptions, WebHandlerOptions, WebListenOptions, WebTls } from "@parley/core/http";

/** Certificates for `https`, as `node:tls` has them. */
export interface HttpTls extends WebTls {}

/** Options for answering calls. */
export interface HttpHandlerOptions extends WebHandlerOptions {}

/** Options of {@link http}. */
export interface HttpOptions extends WebDialOptions, WebListenOptions {
  /** Certificates for `https`. */
  readonly tls?: HttpTls | undefined;
  /**
   * Dialling: sends the small single messages of one turn as one request, to a peer that offered it. Several times the calls a second where
   * many are made at a time. In return they share a socket: one that is cut costs all of them their answers. @default false
   */
  readonly batch?: boolean | undefined;
}

import type { Server } from "node:http";
import type { SecureContextOptions } from "node:tls";
import type { Credentials } from "@parley/core/transport";
import type { WsCallOptions } from "./call-options.ts";

/** Certificates for `wss`: `ca`, `cert`, `key` and their kin, as `node:tls` has them. */
export interface WsTls extends SecureContextOptions {
  /** Whether a peer whose certificate is not verified is turned away. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Listening: asks callers for a certificate. @default false */
  readonly requestCert?: boolean | undefined;
  /** Dialling: the name that the certificate must bear. @default the host of the URL */
  readonly servername?: string | undefined;
}

/** What every dialling of a WebSocket takes. */
export interface WsDialOptions {
  /**
   * Dialling: what proves who calls, shown with the opening request, anew at each dial. Never sent to another host: redirects are not followed.
   */
  readonly credentials?: Credentials | undefined;
  /** Dialling: headers of the opening request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Certificates for `wss`. */
  readonly tls?: WsTls | undefined;
}

/** Options of {@link ws}. */
export interface WsOptions extends WsDialOptions, WsCallOptions {
  /** Listening: mounts on this server, which the caller owns and closes, instead of opening a port. The URL's path counts. */
  readonly server?: Server | undefined;
  /** Listening: browsers' origins that may connect, `["https://app.example"]`. @default none; programs send no Origin and may */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Listening: host names that a client may have dialled. @default on a loopback address its names, elsewhere any */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Listening: connections at one time; more are closed as they come. @default 10_000 */
  readonly maxConnections?: number | undefined;
  /** Listening: permits an address that other machines reach. Without it only loopback addresses are. @default false */
  readonly exposed?: boolean | undefined;
}

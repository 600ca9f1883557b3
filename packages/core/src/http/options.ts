import type { Server } from "node:http";
import type { SecureContextOptions } from "node:tls";
import type { OptionNames } from "../transport/index.ts";
import { type SharedOptions, type WebCallOptions, webCallOptionNames } from "./call-options.ts";

/** Certificates for TLS, as `node:tls` has them. */
export interface WebTls
  extends Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase" | "pfx" | "minVersion"> {
  /** Whether a peer whose certificate is not verified is turned away. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Listening: asks callers for a certificate; a verified one's name is `context.peer.principal`. @default false */
  readonly requestCert?: boolean | undefined;
  /** Dialling: the name that the certificate must bear. @default the host of the URL */
  readonly servername?: string | undefined;
}

/** Options for answering calls that come as HTTP requests. */
export interface WebHandlerOptions extends SharedOptions {
  /**
   * Host names that callers may use, `["agents.example"]`, without port. Guards against names that were made to resolve to this machine
   * (DNS rebinding). @default the names of the loopback address for callers on it, any for others
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Web pages' origins that may call, `["https://app.example"]`, beside the server's own. @default none; programs send no Origin and may */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Time for the head of a request to arrive, and again for its body (of an upload, its first line), ms. Heads are seen to on a port of its
   * own; a server that was given has its own setting. @default 10_000
   */
  readonly requestTimeoutMs?: number | undefined;
}

/** Options for making calls by HTTP requests over sockets of one's own. */
export interface WebDialOptions extends WebCallOptions {
  /** Certificates for TLS. */
  readonly tls?: WebTls | undefined;
}

/** Options for listening on a port. */
export interface WebListenOptions extends WebHandlerOptions {
  /** Certificates for TLS. */
  readonly tls?: WebTls | undefined;
  /** Listening: mounts on this server, which the caller owns and closes, instead of opening a port. The URL's path counts. */
  readonly server?: Server | undefined;
  /** Listening: permits an address that other machines reach. Without it only loopback addresses are. @default false */
  readonly exposed?: boolean | undefined;
  /** Listening: connections at one time; more are closed as they come. @default 10_000 */
  readonly maxConnections?: number | undefined;
}

/** The names of the options of both ends. */
export const webOptionNames: OptionNames<WebDialOptions & WebListenOptions> = {
  ...webCallOptionNames,
  allowedHosts: true,
  allowedOrigins: true,
  requestTimeoutMs: true,
  tls: true,
  server: true,
  exposed: true,
  maxConnections: true,
};

/** What is taken for the time that a request may take to arrive unless told otherwise, ms. */
export const REQUEST_TIMEOUT_MS = 10_000;

import type { Server } from "node:http";
import type { SecureContextOptions } from "node:tls";
import type { ChannelOptions, Limits } from "@parley/core/transport";

/** Options of {@link ws}. */
export interface WsOptions extends Pick<ChannelOptions, "heartbeatMs" | "helloTimeoutMs" | "maxQueuedChars"> {
  /** What each connection bears. @default 4 MiB a message, 16,384 calls, 256 items and 256 KiB a stream */
  readonly limits?: Limits | undefined;
  /** Dialling: headers of the opening request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Certificates for `wss`: `ca`, `cert`, `key` and their kin, as `node:tls` has them. */
  readonly tls?:
    | (SecureContextOptions & { readonly rejectUnauthorized?: boolean; readonly requestCert?: boolean })
    | undefined;
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

/** WebSocket subprotocol of the CloudEvents binding: a text frame is one event in JSON. */
export const SUBPROTOCOL = "cloudevents.json";

/** How long a peer may take to answer a closing handshake. */
export const CLOSE_TIMEOUT_MS = 1_000;

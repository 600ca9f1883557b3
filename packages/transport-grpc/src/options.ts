import type { SecureContextOptions } from "node:tls";
import {
  type ChannelOptions,
  type Credentials,
  channelLimits,
  type Limits,
  type ResumeOptions,
} from "@parley/core/transport";

/** Certificates for `grpcs`, as `node:tls` has them. */
export interface GrpcTls
  extends Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase" | "pfx" | "minVersion"> {
  /** Whether a peer whose certificate is not verified is turned away. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Listening: asks callers for a certificate; a verified one's name is `context.peer.principal`. @default false */
  readonly requestCert?: boolean | undefined;
  /** Dialling: the name that the certificate must bear. @default the host of the URL */
  readonly servername?: string | undefined;
}

/** Options of {@link grpc}. */
export interface GrpcOptions extends Pick<ChannelOptions, "heartbeatMs" | "helloTimeoutMs" | "maxQueuedChars"> {
  /** What each connection bears. @default 4 MiB a message, 16,384 calls, 1,024 items and 1 MiB a stream; see {@link nativeLimits} */
  readonly limits?: Limits | undefined;
  /**
   * Whether Parleys use one stream for all calls between them (`Channel`). `false`: dialling, each call is a gRPC call of its own; listening,
   * only those are answered. A peer without it is called natively in any case. @default true
   */
  readonly channel?: boolean | undefined;
  /** How long calls that were cut wait for their connection to be back, ms; the smaller of both sides' counts. Not of native calls. @default 30_000 */
  readonly resumeWindowMs?: number | undefined;
  /**
   * Dialling: what proves who calls, in the metadata of every gRPC call, which between Parleys is the one stream for all calls; a certificate,
   * with every connection.
   */
  readonly credentials?: Credentials | undefined;
  /** Dialling: metadata of every gRPC call. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Certificates for `grpcs`. */
  readonly tls?: GrpcTls | undefined;
  /**
   * Dialling a peer natively: HTTP/2 pings after so much silence while calls are under way, ms; a peer that does not answer in as long is
   * given up. Many servers put up with one in five minutes and no more. @default the
   * smaller `heartbeatMs` of both with a Parley, none with others
   */
  readonly keepaliveMs?: number | undefined;
  /**
   * Listening: time for calls with one answer (all but `server-stream`, `bidi-stream` and `subscribe`) of callers without Parley who state no
   * deadline, ms; `Infinity` for none. What Parley sends without a deadline has none. @default 600_000
   */
  readonly foreignTimeoutMs?: number | undefined;
  /** Listening: connections at one time; more are closed as they come. @default 10_000 */
  readonly maxConnections?: number | undefined;
  /** What the streams of one connection may take of memory, MB; beyond it new ones are refused. @default 128 */
  readonly maxSessionMemoryMb?: number | undefined;
  /** Listening: permits an address that other machines reach. Without it only loopback addresses are. @default false */
  readonly exposed?: boolean | undefined;
}

/** What dialling needs to know, whoever dials. */
export interface DialOptions extends Pick<GrpcOptions, "tls" | "credentials" | "keepaliveMs" | "maxSessionMemoryMb"> {
  /** Longest message that is let in. */
  readonly maxReceiveBytes: number;
  /** What messages are compressed by. @default none */
  readonly compression?: "gzip" | undefined;
}

/** What the transport dials with. */
export function dialOptions(options: GrpcOptions): DialOptions {
  return { ...options, maxReceiveBytes: maxReceiveBytes(limitsOf(options)) };
}

/** What a connection bears whose calls are gRPC calls of their own. The window is what HTTP/2 and both ends buffer for a reader who takes nothing. */
export const nativeLimits: Limits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxCalls: 1_024,
  windowItems: 8_192,
  windowBytes: 4 * 1024 * 1024,
};

/** What this side says of sessions. */
export function resumeOf({ resumeWindowMs }: GrpcOptions): ResumeOptions {
  return { windowMs: resumeWindowMs };
}

/** What this side bears. */
export function limitsOf({ limits, channel = true }: GrpcOptions): Limits {
  return limits ?? (channel ? channelLimits : nativeLimits);
}

/** What `foreignTimeoutMs` is unless told otherwise. */
export const FOREIGN_TIMEOUT_MS = 600_000;

/** Longest silence unless told otherwise, ms. */
export const HEARTBEAT_MS = 15_000;

/** How long a peer may take to end a stream, or to let a connection go. */
export const CLOSE_TIMEOUT_MS = 500;

/**
 * What gRPC is told to let in. Events are held to `maxMessageBytes` one by one, with an answer that says so; a batch of them is at most the largest
 * event or 64 KiB.
 */
export function maxReceiveBytes({ maxMessageBytes }: Limits): number {
  return Math.max(maxMessageBytes, 64 * 1024) + 64 * 1024;
}

/** What `maxSessionMemoryMb` is unless told otherwise. */
export const MAX_SESSION_MEMORY_MB = 128;

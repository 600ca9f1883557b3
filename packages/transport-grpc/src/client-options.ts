import type { Credentials, Log, OperationOptions, PolicyOptions, Runtime } from "@parley/core";
import type { GrpcHeaders } from "./client/metadata-of.ts";
import type { GrpcOptions } from "./options.ts";
import type { GrpcFormat } from "./service/format.ts";

/**
 * What a {@link GrpcClient} is made from. To policies the `type` of a call is `package.Service/Method`, and idempotent are methods whose file says
 * so; `retry` is for what failed with `unavailable`, or the `codes` given.
 */
export interface GrpcClientOptions extends Pick<GrpcOptions, "tls" | "maxSessionMemoryMb">, PolicyOptions {
  /** Where the server is: `grpc://host:port`, or `grpcs://host:port` for TLS. */
  readonly url: string | URL;
  /** The .proto files that describe its services. @default asks the server (server reflection, v1 or v1alpha) */
  readonly proto?: string | readonly string[] | undefined;
  /** Folders in which .proto files find what they import. @default the folder of each */
  readonly includeDirs?: readonly string[] | undefined;
  /** How messages look in JavaScript. */
  readonly format?: GrpcFormat | undefined;
  /**
   * What proves who calls, in the metadata of every call; a certificate, with every connection. What the server does not accept is renewed once
   * and the call made again, but for uploads.
   */
  readonly credentials?: Credentials | undefined;
  /** Metadata of every call. */
  readonly headers?: GrpcHeaders | undefined;
  /** Time for each call that has none of its own, streams included; the server is told (`grpc-timeout`). @default none */
  readonly timeoutMs?: number | undefined;
  /** How long a call, or `connect`, waits for a connection, ms; a call then fails with `unavailable`, `not-sent`. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Whether calls wait for as long as they may when there is no connection, rather than fail with the first attempt to make one. @default false */
  readonly waitForReady?: boolean | undefined;
  /** Longest message either way, bytes, decompressed; a longer one is not sent, and one of the server ends its call with `resource_exhausted`. @default 4 MiB */
  readonly maxMessageBytes?: number | undefined;
  /** Calls under way at a time; one more fails with `resource_exhausted`, `not-sent`. @default 1_024 */
  readonly maxCalls?: number | undefined;
  /** What messages are compressed by. What arrives may be so in any case. @default none */
  readonly compression?: "gzip" | undefined;
  /**
   * HTTP/2 pings after so much silence while calls are under way, ms; a server that does not answer in as long is given up. Many servers put
   * up with one in five minutes and no more. @default none
   */
  readonly keepaliveMs?: number | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What can be said with one call of a {@link GrpcClient}. The server is told when it is given up, and of its time. */
export interface GrpcCallOptions extends OperationOptions {
  /** Metadata of this call, beside the client's; takes the place of what has the same name there. */
  readonly headers?: GrpcHeaders | undefined;
  /** @default the client's */
  readonly waitForReady?: boolean | undefined;
  /** Whether its effect may be had twice. @default what the method's `idempotency_level` says */
  readonly idempotent?: boolean | undefined;
  /** Told of the metadata that the server begins its answer with. Must not throw. */
  readonly onHeaders?: ((headers: Headers) => void) | undefined;
  /** Told of the metadata that the server ends its answer with, a failed one too. Must not throw. */
  readonly onTrailers?: ((trailers: Headers) => void) | undefined;
}

/** How long a connection may take unless told otherwise, ms. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** Longest message unless told otherwise. */
export const MAX_MESSAGE_BYTES: number = 4 * 1024 * 1024;

/** Calls at a time unless told otherwise. */
export const MAX_CALLS = 1_024;

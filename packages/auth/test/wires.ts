import type { Credentials } from "@parley/core";
import type { Transport } from "@parley/core/transport";
import { grpc } from "@parley/transport-grpc";
import { http } from "@parley/transport-http";
import { sse } from "@parley/transport-sse";
import { ws } from "@parley/transport-ws";

/** Options that all of these wires have. */
export interface WireOptions {
  readonly credentials?: Credentials | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly requestCert?: boolean;
  };
}

/** A wire whose callers show who they are in headers or metadata. */
export interface Wire {
  readonly name: string;
  readonly url: string;
  readonly secureUrl: string;
  readonly transport: (options?: WireOptions) => Transport;
}

function wire(name: string, scheme: string, transport: Wire["transport"]): Wire {
  return { name, url: `${scheme}://127.0.0.1:0`, secureUrl: `${scheme}s://127.0.0.1:0`, transport };
}

/** Those wires. */
export const wires: readonly Wire[] = [
  wire("http", "http", http),
  wire("http in batches", "http", (options) => http({ ...options, batch: true })),
  wire("sse", "sse", sse),
  wire("ws", "ws", ws),
  wire("grpc", "grpc", grpc),
  wire("grpc natively", "grpc", (options) => grpc({ ...options, channel: false })),
];

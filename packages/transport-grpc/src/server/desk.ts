import type { Handler, Limits, Log, ParleyError, Peer, Runtime } from "@parley/core/transport";

/** What the native calls at one listener share. */
export interface Desk {
  /** Answers every call: the handler that was given, and before it the operations of the connection itself. */
  readonly handler: Handler;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  readonly limits: Limits;
  /** Time for the calls of callers without Parley who state none, ms. */
  readonly foreignTimeoutMs: number;
  /** Source of the events that this side writes itself. */
  readonly source: string;
  /** Who is at the other end of the connection that gRPC names so. */
  peerOf(name: string): Peer;
  /** Why no call is taken at present; undefined when one is. */
  fullness(peer: string): ParleyError | undefined;
  /** A call came to nothing. */
  refused(): void;
  began(call: OpenCall): void;
  ended(call: OpenCall): void;
}

/** A call under way. */
export interface OpenCall {
  /** gRPC's name of the connection. */
  readonly peer: string;
  /** Whether it has no end of its own. */
  readonly endless: boolean;
  /** This side closes, or the caller broke the rules: both are told. */
  abandon(reason: ParleyError): void;
}

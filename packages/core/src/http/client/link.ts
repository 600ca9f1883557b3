import type { Limits, ParleyError, Presenter, Reply, Runtime } from "../../transport/index.ts";
import type { Member } from "../wire/roster.ts";
import type { ClientWire } from "./client-wire.ts";
import type { Sockets } from "./sockets.ts";

/** What the calls on a connection share. */
export interface Link {
  readonly sockets: Sockets;
  /** Where the peer is, for messages: `"127.0.0.1:8080"`. */
  readonly address: string;
  /** Path of the peer's address, without a slash at its end. */
  readonly base: string;
  /** Headers of every request, flat, the content type apart. */
  readonly headers: readonly string[];
  /** Shows with every request who calls. */
  readonly presenter: Presenter | undefined;
  /** What is particular to the wire. */
  readonly wire: ClientWire;
  readonly runtime: Runtime;
  /** Source of the events that this side writes itself. */
  readonly source: string;
  /** What this side bears. */
  readonly limits: Limits;
  /** What the peer bears, once it has said. */
  readonly peerLimits: Limits | undefined;
  /** The connection is closed or being closed. */
  readonly closing: boolean;
  /** The peer has shown a sign of life. */
  heard(): void;
  /** A call is made. */
  began(call: OpenCall): void;
  /** The call is over for its caller; its request may not be. */
  settled(call: OpenCall): void;
  /** A request is made. */
  requestBegan(): void;
  /** Nothing more will come of a request. */
  ended(): void;
  /** An answer came for a call that is over. */
  late(): void;
}

/** A call that is not over. */
export interface OpenCall extends Member {
  /** Fails the call, whatever became of it. */
  lost(error: ParleyError): void;
  /** Called at every heartbeat. Returns whether the call has waited all that time for a first sign of an answer. */
  checkSilence(heartbeatMs: number): boolean;
}

/** How a call is settled. */
export interface Settle {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: ParleyError) => void;
}

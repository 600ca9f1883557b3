import type { IncomingMessage } from "node:http";
import type {
  CallKind,
  Context,
  Envelope,
  Handler,
  Hop,
  Log,
  ParleyError,
  Peer,
  Runtime,
} from "../../transport/index.ts";
import type { Member } from "../wire/roster.ts";
import type { Description } from "./description.ts";
import type { Exchange } from "./exchange.ts";
import type { Format } from "./format.ts";
import type { SingleMode } from "./intake.ts";
import type { AnswerStream, OutputInit } from "./output.ts";
import type { Peers } from "./peers.ts";
import type { Uplinks } from "./uplinks.ts";

/** What the calls at one address share. */
export interface Desk {
  /** Answers every call: the handler that was given, and before it the operations of the connection itself. */
  readonly handler: Handler;
  readonly description: Description;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  /** What this side offers, in the handshake. */
  readonly hop: Hop;
  /** Source of the events that this side writes itself. */
  readonly source: string;
  /** No new calls are taken, and connections end with their answers. */
  readonly closing: boolean;
  /** Time for a body, or the first line of an upload, to arrive. */
  readonly requestTimeoutMs: number;
  /** Who is at the other end of a socket. */
  readonly peers: Peers;
  /** Who sent a request. */
  peerOf(request: IncomingMessage): Peer;
  /** What is known of a call that a request makes. @param foreign whether it is no CloudEvent. */
  contextOf(request: IncomingMessage, foreign: boolean): Context;
  /** Calls whose callers send more by requests of their own. */
  readonly uplinks: Uplinks;
  /** How the answer to a call is written. */
  formatOf(exchange: Exchange, mode: SingleMode, kind: CallKind): Format;
  /** Makes the answer of a stream. */
  stream(exchange: Exchange, items: AsyncIterable<Envelope>, init: OutputInit): AnswerStream;
  /** Why no call is taken at present; undefined when one is. */
  fullness(): ParleyError | undefined;
  /** A call that came in a batch was given up, says this message of `sender`. Does nothing when it is over, or never was. */
  cancel(message: Envelope, sender: Peer): void;
  /** A request came to nothing. */
  refused(): void;
  /** A call has begun. */
  began(call: Abandonable): void;
  /** A call is over. */
  ended(call: Abandonable): void;
}

/** A call that can be given up. */
export interface Abandonable extends Member {
  /** Whether it is the one that a message of `sender` cancels. */
  isMeantBy?(message: Envelope, sender: Peer): boolean;
  /** The caller has left. @param reason why; that it gave up, unless it said more. */
  left(reason?: ParleyError): void;
  /** This side closes, or the caller broke the rules: both are told. */
  abandon(reason: ParleyError): void;
}

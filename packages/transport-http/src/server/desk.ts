import type { Handler, Hop, Log, ParleyError, Runtime } from "@parley/core/transport";
import type { Member } from "../wire/roster.ts";
import type { Description } from "./description.ts";

/** What the calls at one address share. */
export interface Desk {
  /** Answers every call: the handler that was given, and before it the operations of the connection itself. */
  readonly handler: Handler;
  readonly description: Description;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  /** What this side offers, in the handshake. */
  readonly hop: HttpHop;
  /** Source of the events that this side writes itself. */
  readonly source: string;
  /** No new calls are taken, and connections end with their answers. */
  readonly closing: boolean;
  /** Time for a body, or the first line of an upload, to arrive. */
  readonly requestTimeoutMs: number;
  /** Why no call is taken at present; undefined when one is. */
  fullness(): ParleyError | undefined;
  /** The caller of a call that came in a batch gave it up. Does nothing when it is over, or never was. */
  cancel(name: string): void;
  /** A request came to nothing. */
  refused(): void;
  /** A call has begun. */
  began(call: Abandonable): void;
  /** A call is over. */
  ended(call: Abandonable): void;
}

/** What one side of a hop says of itself, and how many messages it takes in one request. */
export interface HttpHop extends Hop {
  readonly batchCalls: number;
}

/** A call that can be given up. */
export interface Abandonable extends Member {
  /** What it can be cancelled by, where closing a request of its own does not do that. */
  readonly name?: string | undefined;
  /** The caller has left. */
  left(): void;
  /** This side closes, or the caller broke the rules: both are told. */
  abandon(reason: ParleyError): void;
}

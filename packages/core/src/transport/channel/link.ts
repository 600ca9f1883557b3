import type { AbortListener } from "../../call/call.ts";
import type { ParleyError } from "../../call/error.ts";
import type { Log } from "../../call/log.ts";
import type { CallKind, Envelope } from "../../envelope/envelope.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Hop } from "../hello.ts";
import type { Outbox } from "./outbox.ts";

/** What the calls on a connection share with it. */
export interface Link {
  readonly runtime: Runtime;
  readonly outbox: Outbox;
  readonly log: Log | undefined;
  /** Source of the events that the connection itself writes. */
  readonly source: string;
  /** What this side offered. */
  readonly hop: Hop;
  /** What the peer offered. */
  readonly peerHop: Hop;
  /** @throws ParleyError `resource_exhausted` when the peer would not take a frame of this size. */
  readonly checkSize: (frame: string) => void;
  /** The call is over; whatever still arrives for its number is late. */
  release(number: number): void;
}

/** A call under way, from either side. */
export interface LinkedCall extends AbortListener {
  readonly kind: CallKind;
  /** A message for this call, and the frame that it came as. */
  receive(message: Envelope, frame: string): void;
  /** The connection closes, and does not wait for this call. */
  drained(reason: ParleyError): void;
  /** The connection has ended. */
  lost(error: ParleyError): void;
}

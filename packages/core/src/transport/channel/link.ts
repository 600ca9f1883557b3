import type { AbortListener } from "../../call/call.ts";
import type { ParleyError } from "../../call/error.ts";
import type { Log } from "../../call/log.ts";
import type { CallKind, Envelope } from "../../envelope/envelope.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Hop } from "../hello.ts";
import type { Frame, FrameCodec } from "./frame-codec.ts";
import type { Outbox } from "./outbox.ts";
import type { Window } from "./window.ts";

/** What a call asks of the way out. */
export type Outlet = Pick<
  Outbox,
  | "blocked"
  | "confirms"
  | "detached"
  | "encode"
  | "encodeText"
  | "push"
  | "written"
  | "sealBeforeFlush"
  | "whenWritable"
  | "forget"
>;

/** What the calls on a connection share with it. */
export interface Link {
  readonly runtime: Runtime;
  readonly outbox: Outlet;
  readonly codec: FrameCodec;
  readonly log: Log | undefined;
  /** Source of the events that the connection itself writes. */
  readonly source: string;
  /** What this side offered. */
  readonly hop: Hop;
  /** What the peer offered. */
  readonly peerHop: Hop;
  /** @throws ParleyError `resource_exhausted` when the peer would not take a frame of this size. */
  readonly checkSize: (frame: Frame) => void;
  /** What a stream that this side reads may hold. */
  window(): Window;
  /** What has just come is not handed over before what this gives is called. Absent, or nothing, where the peer does not hear of it. */
  hold?(): (() => void) | undefined;
  /** The call is over; whatever still arrives for its number is late. */
  release(number: number): void;
}

/** A call under way, from either side. */
export interface LinkedCall extends AbortListener {
  readonly kind: CallKind;
  /** A message for this call, and the frame that it came as. */
  receive(message: Envelope, frame: Frame): void;
  /** The connection closes, and does not wait for this call. */
  drained(reason: ParleyError): void;
  /** The connection has ended. A stream that was accepted ends with the second error, if there is one. */
  lost(error: ParleyError, streamError?: ParleyError): void;
}

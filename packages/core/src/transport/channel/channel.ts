import type { ParleyError } from "../../call/error.ts";
import type { Frame } from "./frame-codec.ts";

/**
 * An ordered, lossless pipe of frames to one peer: what a transport with a pipe writes, both ends. `dialChannel` and `acceptChannel` do the rest:
 * calls, credit, cancellation, heartbeats, coalescing.
 */
export interface Channel<One extends Frame = string> {
  /**
   * Sends one batch, with one system call if possible. A frame is one event, as the codec writes it: JSON text unless the protocol has its own. Always takes the batch; `false` says that what
   * is buffered is over the high-water mark, and that `drain` will be told.
   */
  write(frames: readonly One[]): boolean;
  /**
   * Ends the pipe: in order without a reason, after what was written; at once with one, which the peer is told where the protocol has a
   * place for it. May be called again: with a reason after one without, when the peer has taken too long. Ends in `closed`.
   */
  close(reason?: ParleyError): void;
}

/** What the adapter tells core. */
export interface ChannelEvents<One extends Frame = string> {
  /** One frame has arrived. */
  frame(frame: One): void;
  /** Something has arrived that is no frame and is skipped, such as a line of log text; the connection counts it. */
  refused(): void;
  /** After a `write` returned `false`: there is room again. */
  drain(): void;
  /** Nothing more will arrive or leave; once. With what went wrong, or nothing after an orderly end. */
  closed(cause?: unknown): void;
}

/** Ties an open pipe to its events. Called once; frames may be told from the next turn on. */
export type OpenChannel<One extends Frame = string> = (events: ChannelEvents<One>) => Channel<One>;

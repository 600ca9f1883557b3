import type { ParleyError } from "../../call/error.ts";

/**
 * An ordered, lossless pipe of frames to one peer: what a transport with a pipe writes, both ends. `dialChannel` and `acceptChannel` do the rest:
 * calls, credit, cancellation, heartbeats, coalescing.
 */
export interface Channel {
  /**
   * Sends one batch, with one system call if possible. A frame is the text of one event. Always takes the batch; `false` says that what
   * is buffered is over the high-water mark, and that `drain` will be told.
   */
  write(frames: readonly string[]): boolean;
  /**
   * Ends the pipe: in order without a reason, after what was written; at once with one, which the peer is told where the protocol has a
   * place for it. May be called again; the first decides. Ends in `closed`.
   */
  close(reason?: ParleyError): void;
}

/** What the adapter tells core. */
export interface ChannelEvents {
  /** One frame has arrived. */
  frame(text: string): void;
  /** After a `write` returned `false`: there is room again. */
  drain(): void;
  /** Nothing more will arrive or leave; once. With what went wrong, or nothing after an orderly end. */
  closed(cause?: unknown): void;
}

/** Ties an open pipe to its events. Called once; frames may be told from the next turn on. */
export type OpenChannel = (events: ChannelEvents) => Channel;

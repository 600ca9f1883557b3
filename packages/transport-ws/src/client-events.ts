import type { ParleyError } from "@parley/core/transport";
import type { WebSocketFormat, WebSocketMessages } from "./message-format.ts";

/** A connection has opened. */
export interface WebSocketOpen {
  /** The subprotocol that the peer took; empty without one. */
  readonly protocol: string;
  /** Whether there was one before. */
  readonly again: boolean;
}

/** A connection has ended. */
export interface WebSocketClose {
  /** Close code (RFC 6455, 7.4); 1006 for one that was cut. */
  readonly code: number;
  readonly reason: string;
  /** Whether the client dials again. */
  readonly reconnecting: boolean;
}

/** What a {@link WebSocketClient} tells its listeners. */
export interface WebSocketEvents<Format extends WebSocketFormat = "json"> {
  /** A connection is there. What the listener sends before it returns leaves first, before what has waited for the connection. */
  readonly open: WebSocketOpen;
  /** A message has come. While there is a listener, messages go to it and none waits to be read. */
  readonly message: WebSocketMessages[Format];
  readonly close: WebSocketClose;
  /** A dial has failed, a connection was lost, or a message came that is none of the format and was skipped. */
  readonly error: ParleyError;
}

/** What a {@link WebSocketClient} counts. */
export interface WebSocketStats {
  /** Messages given up because the reader was too slow (`overflow: "drop-oldest"`). */
  readonly droppedMessages: number;
  /** Messages that were none of the format. */
  readonly refusedMessages: number;
  /** Bytes that wait to be sent, and to be read, each message counted with 64 more. */
  readonly queuedBytes: number;
  readonly unreadBytes: number;
}

import type { Peer } from "../../call/context.ts";
import type { ParleyError } from "../../call/error.ts";
import type { Line } from "../channel/line.ts";
import type { Connection } from "../transport.ts";
import type { Session } from "./session.ts";

/** Where the peer is in a session: it has taken over all up to `ack`, and had sent all up to `high`. */
export interface Cursor {
  readonly ack: number;
  readonly high: number;
}

/** Who is at the other end of one channel. */
export type ChannelPeer = Omit<Peer, "invoke">;

/** A connection that outlives its channel. */
export interface Resumable {
  readonly connection: Connection;
  readonly session: Session;
  /** Whether it has no channel, and waits for one. */
  readonly detached: boolean;
  /** Stops reading its channel, if it has one, where the peer is told that another has taken its place. */
  supersede(): void;
  /** Goes on by this line, from a place that the session holds. */
  resume(line: Line, cursor: Cursor, peer: ChannelPeer): void;
  /** Ends, and with it every call: nobody will come back for it. */
  lose(reason: ParleyError): void;
}

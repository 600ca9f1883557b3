import type { ParleyError } from "../../call/error.ts";
import type { Connection, ConnectionState } from "../transport.ts";

/** A step in the life of a {@link ReconnectingConnection}. */
export interface StateChange {
  readonly state: ConnectionState;
  /** While reconnecting: which attempt in a row comes next, from 1. */
  readonly attempt?: number;
  /** While reconnecting: how long until that attempt, ms. */
  readonly delayMs?: number;
  /** What ended the connection, or the last attempt. */
  readonly error?: ParleyError | undefined;
}

/** How a connection fares. */
export interface Health {
  readonly state: ConnectionState;
  /** How long a sign of life took, ms; absent when none came. */
  readonly roundTripMs?: number;
  /** What was last wrong. */
  readonly lastError?: ParleyError | undefined;
}

/** A connection that comes back after a cut. */
export interface ReconnectingConnection extends Connection {
  /** Tells of each change of state from now on; gives back what takes the listener off again. */
  onState(listener: (change: StateChange) => void): () => void;
  /** Looks how the connection fares, waiting no longer than `timeoutMs` (5,000 unless told) for a sign of life. Never rejects. */
  health(options?: { readonly timeoutMs?: number }): Promise<Health>;
}

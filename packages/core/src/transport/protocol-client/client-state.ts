import type { ParleyError } from "../../call/error.ts";

/**
 * Where a protocol's client is in its life.
 * - `idle`: nothing is open; the first use connects.
 * - `connecting`: for the first time.
 * - `open`
 * - `reconnecting`: after a cut; operations wait.
 * - `closed`: for good.
 */
export type ClientState = "idle" | "connecting" | "open" | "reconnecting" | "closed";

/** A step in the life of a protocol's client. */
export interface ClientStateChange {
  readonly state: ClientState;
  /** While reconnecting: which attempt in a row comes next, from 1. */
  readonly attempt?: number;
  /** While reconnecting: how long until that attempt, ms. */
  readonly delayMs?: number;
  /** What ended the connection, or the last attempt. */
  readonly error?: ParleyError | undefined;
}

/** How a protocol's client fares. */
export interface ClientHealth {
  readonly state: ClientState;
  /** How long a sign of life took, ms; absent when none came. */
  readonly roundTripMs?: number;
  /** What was last wrong. */
  readonly lastError?: ParleyError | undefined;
}

import type { ParleyError } from "../call/error.ts";
import type { CloseOptions } from "../transport/transport.ts";

/**
 * What a {@link ConnectionPool} or a {@link ConnectionManager} keeps: what `connect()` gives, a connection, the client of any protocol.
 * Used when there: `connect({ signal })`, which makes it ready; `state`, of which `"closed"` says that it is of no more use; and `health({ timeoutMs })`.
 * What has a `connection`, as what `connect()` gives, is asked for these there, since its other members are a user's operations.
 */
export interface Closable {
  /** Ends it within the grace; leaves nothing open. */
  close(options?: CloseOptions): Promise<unknown>;
}

/** What may be asked of a {@link Closable}. */
export interface Probe {
  readonly state?: unknown;
  connect?(options: { readonly signal: AbortSignal }): Promise<unknown>;
  health?(options: { readonly timeoutMs: number }): Promise<{
    readonly state: string;
    readonly roundTripMs?: number | undefined;
    readonly lastError?: ParleyError | undefined;
  }>;
}

/** Finds what a connection can be asked. */
export function probeOf(closable: Closable): Probe {
  const { connection } = closable as { readonly connection?: Probe };
  // Which members there are is looked at before each use.
  return typeof connection === "object" && connection !== null ? connection : (closable as Probe);
}

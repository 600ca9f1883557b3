import type { ParleyError } from "../../call/error.ts";

/** Where a session is kept for its peer, or for this side to dial again, while its connection has no channel. */
export interface SessionHome {
  /** The connection has no channel any more. */
  detached(reason: ParleyError | undefined): void;
  /** It keeps so much more while it waits. */
  kept(chars: number): void;
  /** It goes on by a new channel. */
  attached(): void;
  /** It will not be resumed. May be told again. */
  over(): void;
}

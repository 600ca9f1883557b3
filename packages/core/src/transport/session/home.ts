import type { ParleyError } from "../../call/error.ts";

/** Where a session is kept for its peer, or for this side to dial again, while its connection has no channel. */
export interface SessionHome {
  /** The connection has no channel any more. */
  detached(reason: ParleyError | undefined): void;
  /** It keeps so much more while it waits. */
  kept(chars: number): void;
  /** It goes on by a new channel. */
  attached(): void;
  /** By the new channel something was taken over, by either side, that had not been before; told once for each. */
  progressed(): void;
  /** It will not be resumed. May be told again. */
  over(): void;
}

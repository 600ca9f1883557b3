import type { SessionHome } from "./home.ts";
import type { Resumable } from "./resumable.ts";
import { Session } from "./session.ts";
import { ackTerms, type ResumeSetting, type ResumeTerms } from "./terms.ts";

/** A session that both sides have agreed on. */
export interface AgreedSession {
  readonly session: Session;
  /** How long it waits for a channel, ms. */
  readonly windowMs: number;
  /** The same while the peer has never used it. */
  readonly unconfirmedMs: number;
  /** Takes in whoever has the session. */
  keep(holder: Resumable): SessionHome;
}

/** A new session of this name, by what both sides offer. */
export function agree(id: string, own: ResumeSetting, peer: ResumeTerms): Pick<AgreedSession, "session" | "windowMs"> {
  const session = new Session({ id, numbers: own.numbers, bounds: own, acks: ackTerms(peer) });
  return { session, windowMs: Math.min(own.windowMs, peer.windowMs) };
}

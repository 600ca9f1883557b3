import type { ParleyError } from "../../call/error.ts";
import type { HopAttributes } from "../../envelope/encode.ts";
import type { SessionHome } from "./home.ts";
import type { KeptSession, SessionKeeper } from "./keeper.ts";
import type { Resumable } from "./resumable.ts";

/** A session as the side that dialled keeps it from one channel to the next. */
export class DialledSession implements KeptSession, SessionHome {
  readonly held: Resumable;
  readonly #keeper: SessionKeeper;
  #generation = 1;

  constructor(held: Resumable, keeper: SessionKeeper) {
    this.held = held;
    this.#keeper = keeper;
    keeper.keep(this);
  }

  /** What hello says to take it up; each time with a greater generation. */
  claim(): HopAttributes {
    const { id, received, last } = this.held.session;
    return { session: id, generation: ++this.#generation, ack: received, high: last };
  }

  lose(reason: ParleyError): void {
    this.held.lose(reason);
  }

  detached(reason: ParleyError | undefined): void {
    this.#keeper.cut(reason);
  }

  kept(): void {}

  attached(): void {}

  progressed(): void {
    this.#keeper.progressed();
  }

  over(): void {
    if (this.#keeper.kept === this) this.#keeper.keep(undefined);
  }
}

/** What a keeper has that waits for a channel. */
export function waitingSession(keeper: SessionKeeper | undefined): DialledSession | undefined {
  const kept = keeper?.kept;
  return kept instanceof DialledSession && kept.held.detached ? kept : undefined;
}

import type { Call } from "../../call/call.ts";
import type { ParleyError } from "../../call/error.ts";
import type { Reply } from "../../call/interceptor.ts";
import type { Connection } from "../transport.ts";

/** A connection that waits to be taken up again, in the hands of its transport. */
export interface KeptSession {
  /** Nobody will take it up: ends it, and with it every call. */
  lose(reason: ParleyError): void;
}

/**
 * Carries the session of a connection over to the next that is dialled in its place. `reconnecting` makes one for each connection that is to
 * come back; a transport over `dialChannel` only passes it on. One with sessions of its own keeps there what it needs, and has its `connect`
 * resolve with the connection that was cut when that one goes on.
 */
export interface SessionKeeper {
  /** What the next `connect` may take up. */
  readonly kept: KeptSession | undefined;
  /** This is to be taken up after a cut, in place of what was; nothing, if undefined. */
  keep(session: KeptSession | undefined): void;
  /** The connection has lost its wire: its state is `reconnecting` until it is taken up, or ends. */
  cut(reason: ParleyError | undefined): void;
  /** What was taken up has gone on: something was taken over that had not been before the cut. */
  progressed(): void;
  /**
   * The session of a connection is lost, and nothing of this call was written: it is made on the connection that comes in its place, before
   * all that is called later. Told in the order of the calls. Undefined where none will come; the call then ends with its connection.
   */
  move(call: Call, from: Connection): Promise<Reply> | undefined;
}

/** Whoever has connections to one address, one after the other. */
export interface KeeperOwner extends Pick<SessionKeeper, "cut" | "progressed" | "move"> {}

/** The keeper of one connection that comes back. */
export class Keeper implements SessionKeeper {
  kept: KeptSession | undefined;
  #owner: KeeperOwner | undefined;

  keep(session: KeptSession | undefined): void {
    this.kept = session;
  }

  cut(reason: ParleyError | undefined): void {
    this.#owner?.cut(reason);
  }

  progressed(): void {
    this.#owner?.progressed();
  }

  move(call: Call, from: Connection): Promise<Reply> | undefined {
    return this.#owner?.move(call, from);
  }

  /** From now on this one is told. */
  tell(owner: KeeperOwner): void {
    this.#owner = owner;
  }
}

import {
  type Envelope,
  type ItemQueue,
  type ItemSource,
  PacedItems,
  ParleyError,
  readError,
} from "../../transport/index.ts";
import { seqAfter } from "../wire/seq.ts";
import type { ServedCall } from "./served-call.ts";
import type { UplinkTarget } from "./uplinks.ts";

/** What the caller of one call sends after its opener, by requests of their own. */
export class UplinkInput implements ItemSource, UplinkTarget {
  place = -1;
  /** The opener's id. */
  readonly id: string;
  /** Who opened the call, as authenticated; nobody else sends on it. */
  readonly principal: string | undefined;
  readonly #items = new PacedItems(this);
  #served: ServedCall | undefined;
  #seq = 0;
  #ended = false;
  #abandoned = false;
  #room: (() => void)[] = [];

  constructor(id: string, principal: string | undefined) {
    this.id = id;
    this.principal = principal;
  }

  get queue(): ItemQueue<Envelope> {
    return this.#items.queue;
  }

  /** Whether the call goes on. */
  get open(): boolean {
    return this.#served?.over === false;
  }

  /** The call that it belongs to. */
  serves(served: ServedCall): void {
    this.#served = served;
  }

  /**
   * Takes a message. One that was taken before is dropped.
   * @throws ParleyError `data_loss` when one before it is missing, `invalid_argument` when it cannot follow an opener.
   */
  take(message: Envelope, chars: number): void {
    switch (message.kind) {
      case "item":
        if (this.#isNext(message) && !this.#abandoned) this.#items.push(message, chars);
        return;
      case "end":
        if (!this.#isNext(message)) return;
        this.#ended = true;
        return this.#items.queue.end();
      case "error":
        return this.#served?.left(readError(message.data));
      case "cancel":
        return this.#served?.left(reasonOf(message));
      default:
        throw new ParleyError(
          "invalid_argument",
          `on an open call its caller sends items, an end, an error or a cancel, not a message of kind ${message.kind}`,
          { outcome: "rejected" },
        );
    }
  }

  /** Calls `taken` when there is room for more; at once when there is. */
  whenRoom(taken: () => void): void {
    if (this.#items.paused && this.open && !this.#abandoned) this.#room.push(taken);
    else taken();
  }

  /** The call is over, or reads no more: nobody waits any longer. */
  release(): void {
    const room = this.#room;
    this.#room = [];
    for (const taken of room) taken();
  }

  pause(): void {}

  resume(): void {
    this.release();
  }

  abandoned(): void {
    this.#abandoned = true;
    this.release();
  }

  #isNext({ seq }: Envelope): boolean {
    const expected = seqAfter(this.#seq);
    if (this.#ended) return false;
    if (seq === undefined || seq === expected) {
      this.#seq = expected;
      return true;
    }
    // Within half the number space it is behind, else ahead.
    if ((expected - seq + 2 ** 31) % 2 ** 31 < 2 ** 30) return false;
    throw new ParleyError("data_loss", `items are missing: expected number ${expected}, got ${seq}`, {
      outcome: "rejected",
    });
  }
}

/** Why a caller gave up, as far as it says. */
export function reasonOf({ data }: Envelope): ParleyError {
  const { code } = (data ?? {}) as { readonly code?: unknown };
  return code === "deadline_exceeded"
    ? new ParleyError("deadline_exceeded", "the caller's deadline passed", { outcome: "unknown" })
    : new ParleyError("cancelled", "the caller gave up", { outcome: "unknown" });
}

import type { Envelope } from "../../transport/index.ts";
import { type Member, Roster } from "../wire/roster.ts";

/** A call that takes messages which come by requests of their own. */
export interface UplinkTarget extends Member {
  /** The opener's id. */
  readonly id: string;
  /** Who opened the call, as authenticated; nobody else sends on it. */
  readonly principal: string | undefined;
  /** Whether the call goes on. */
  readonly open: boolean;
  /**
   * Takes a message. One that was taken before is dropped.
   * @throws ParleyError `data_loss` when one before it is missing, `invalid_argument` when it cannot follow an opener.
   */
  take(message: Envelope, chars: number): void;
  /** Calls `taken` when there is room for more; at once when there is. */
  whenRoom(taken: () => void): void;
  /** The call is over: nobody waits for room any longer. */
  release(): void;
}

/** Calls that are over and still known. */
const MAX_OVER = 1_024;

/** Calls whose callers send on by requests of their own. */
export class Uplinks {
  readonly #targets = new Roster<UplinkTarget>();
  /** Those that were over last, the longest ago first. */
  readonly #over = new Set<string>();

  add(target: UplinkTarget): void {
    this.#targets.add(target);
  }

  delete(target: UplinkTarget): void {
    this.#targets.delete(target);
    target.release();
    this.#over.add(nameOf(target.id, target.principal));
    const [first] = this.#over;
    if (this.#over.size > MAX_OVER && first !== undefined) this.#over.delete(first);
  }

  /** The input of the call with this opener, if this peer opened it; of several attempts at a call, one that goes on. */
  find(id: string, principal: string | undefined): UplinkTarget | undefined {
    return this.#targets.find((target) => target.id === id && target.principal === principal && target.open);
  }

  /**
   * Whether a call with this opener was this peer's and is over: what follows it is late, since the caller cannot know yet. Of the calls that are
   * over the last {@link MAX_OVER} are known.
   */
  isOver(id: string, principal: string | undefined): boolean {
    const ending = this.#targets.find((target) => target.id === id && target.principal === principal && !target.open);
    return ending !== undefined || this.#over.has(nameOf(id, principal));
  }
}

/** Ids hold no space. */
function nameOf(id: string, principal = ""): string {
  return `${id} ${principal}`;
}

import type { Call } from "../../call/call.ts";
import type { Peer } from "../../call/context.ts";
import type { Reply } from "../../call/interceptor.ts";
import type { Arrival } from "./broker.ts";
import { inboxRoute, type Route } from "./route.ts";
import { readTerms, type Terms } from "./terms.ts";

/** Who calls, with the way back, and what it takes. */
export interface Caller {
  readonly peer: Peer;
  readonly hop: Terms;
}

/** What tells one caller from another, and whether it bears the same. */
interface Sender {
  readonly from: string | undefined;
  readonly principal: string | undefined;
  readonly replyto: string | undefined;
  readonly credit: unknown;
}

/** Those who call over one link. Of one who calls several times in a row nothing is made anew, and its route back remembers what it has learned. */
export class Callers {
  readonly #known: Omit<Peer, "invoke">;
  readonly #callBack: (route: Route, call: Call) => Promise<Reply>;
  #last: { readonly sender: Sender; readonly caller: Caller } | undefined;

  /**
   * @param known what the link itself says of whoever calls.
   * @param callBack calls a caller, by the route to its inbox.
   */
  constructor(known: Omit<Peer, "invoke">, callBack: (route: Route, call: Call) => Promise<Reply>) {
    this.#known = known;
    this.#callBack = callBack;
  }

  /** Who has sent an opener. Whoever says not where an answer goes cannot be called. */
  of({ from, principal, message }: Arrival): Caller {
    const { replyto, credit } = message;
    const sender: Sender = { from, principal, replyto, credit };
    if (!this.#last || !isSame(this.#last.sender, sender)) this.#last = { sender, caller: this.#callerOf(sender) };
    return this.#last.caller;
  }

  #callerOf({ from, principal, replyto, credit }: Sender): Caller {
    const known = this.#known;
    const hop = readTerms(credit);
    const route = replyto === undefined ? undefined : inboxRoute(replyto, hop, principal);
    const peer: Peer = {
      ...known,
      principal: principal ?? known.principal,
      address: known.address ?? from,
      invoke: route && ((call) => this.#callBack(route, call)),
    };
    return { peer, hop };
  }
}

function isSame(one: Sender, other: Sender): boolean {
  return (
    one.from === other.from &&
    one.principal === other.principal &&
    one.replyto === other.replyto &&
    one.credit === other.credit
  );
}

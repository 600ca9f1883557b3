import { type Envelope, ParleyError, readEvent, toParleyError } from "../../transport/index.ts";
import type { BodyReader } from "./body.ts";
import { checkCopies } from "./copies.ts";
import type { Desk } from "./desk.ts";
import { readEventArray } from "./event-array.ts";
import { type Exchange, refuseExchange } from "./exchange.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { respond } from "./response.ts";

/**
 * A request with what the caller of an open call sends next: items, and at last an end. Answered 202 when it was taken, which may wait for
 * room, or dropped, since the call has ended meanwhile; 404 when there is no such call of this caller, 409 when a message before these is missing.
 */
export class UplinkIntake implements BodyReader {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #type: string;
  readonly #taken: () => void;

  /** @param taken called once, when the body has been read or has come to nothing. */
  constructor(desk: Desk, exchange: Exchange, type: string, taken: () => void) {
    this.#desk = desk;
    this.#exchange = exchange;
    this.#type = type;
    this.#taken = taken;
  }

  complete(body: Buffer): void {
    this.#taken();
    const { request } = this.#exchange;
    try {
      const messages = readEventArray(body).map((event) => readEvent(event));
      const [first] = messages;
      if (!first) throw new ParleyError("invalid_argument", "there is no event in the batch", { outcome: "rejected" });
      const { principal } = this.#desk.peers.of(request.socket).peer;
      const { uplinks } = this.#desk;
      const opener = openerOf(first);
      const input = uplinks.find(opener, principal);
      if (!input && !uplinks.isOver(opener, principal)) {
        throw new ParleyError("not_found", "no call of this caller is open here that these events could follow", {
          outcome: "rejected",
        });
      }
      const chars = Math.ceil(body.length / messages.length);
      for (const message of messages) {
        checkCopies(message, this.#type, {});
        if (openerOf(message) !== opener) throw new ParleyError("invalid_argument", MIXED, { outcome: "rejected" });
        input?.take(message, chars);
      }
      if (input) input.whenRoom(() => this.#accept());
      else this.#accept();
    } catch (thrown) {
      const error = toParleyError(thrown);
      const refusal = refusalOf(error);
      refuseExchange(this.#desk, this.#exchange, error.code === "data_loss" ? { ...refusal, status: 409 } : refusal);
    }
  }

  refused(refusal: Refusal): void {
    this.#taken();
    refuseExchange(this.#desk, this.#exchange, refusal);
  }

  lost(): void {
    this.#taken();
  }

  #accept(): void {
    if (!this.#exchange.response.destroyed) respond(this.#desk, this.#exchange, { status: 202, headers: [], body: "" });
  }
}

const MIXED = "the events of one such batch follow one call, which each names in inreplyto";

function openerOf({ inreplyto }: Envelope): string {
  if (inreplyto !== undefined) return inreplyto;
  throw new ParleyError("invalid_argument", `a batch at an operation follows an open call: ${MIXED}`, {
    outcome: "rejected",
  });
}

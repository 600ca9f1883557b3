import type { Envelope, ParleyError } from "../../transport/index.ts";
import type { Desk } from "./desk.ts";
import type { Exchange } from "./exchange.ts";
import { type Format, sendable } from "./format.ts";
import { errorHeaders } from "./refusal.ts";
import { type Answer, respond } from "./response.ts";

/** Where the answer to one call goes. */
export interface Outlet {
  /** The message was taken; there is no answer to it. */
  accept(): void;
  reply(message: Envelope): void;
  /** Tells an error, as long as nothing else was told. */
  fail(error: ParleyError): void;
}

/** Answers a call with a response of its own. */
export class ResponseOutlet implements Outlet {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #format: Format;
  readonly #opener: Envelope;

  constructor(desk: Desk, exchange: Exchange, format: Format, opener: Envelope) {
    this.#desk = desk;
    this.#exchange = exchange;
    this.#format = format;
    this.#opener = opener;
  }

  accept(): void {
    this.#send({ status: 202, headers: [], body: "" });
  }

  reply(message: Envelope): void {
    this.#send(sendable(message, () => this.#format.reply(message)));
  }

  fail(error: ParleyError): void {
    const { status, headers, body } = this.#format.error(error, this.#opener, this.#desk.source);
    this.#send({ status, headers: [...headers, ...errorHeaders(error)], body });
  }

  #send(answer: Answer): void {
    const { response } = this.#exchange;
    if (!response.destroyed && !response.headersSent) respond(this.#desk, this.#exchange, answer);
  }
}

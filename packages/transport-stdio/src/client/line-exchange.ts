import type { ParleyError } from "@parley/core/transport";
import type { LineFormat } from "../text-lines.ts";
import type { Exchange, ExchangeInit } from "./exchange.ts";
import { Inbox } from "./inbox.ts";
import { encodeMessage, type MessageFormat } from "./message-format.ts";
import { MessageReader } from "./message-reader.ts";
import type { Operation } from "./operation.ts";
import { Turns } from "./turns.ts";

/** Messages on lines, of which each that comes while a question waits is its answer. */
export class LineExchange implements Exchange {
  readonly #init: ExchangeInit;
  readonly #format: MessageFormat;
  readonly #lines: LineFormat;
  readonly #reader: MessageReader;
  readonly #inbox: Inbox<unknown>;
  readonly #turns: Turns<undefined, unknown>;

  constructor(init: ExchangeInit, format: MessageFormat, lines: LineFormat) {
    this.#init = init;
    this.#format = format;
    this.#lines = lines;
    this.#reader = new MessageReader(init, format, lines, (message, bytes) => this.#receive(message, bytes));
    this.#inbox = new Inbox({ maxBytes: init.maxUnreadBytes, flow: init.flow });
    this.#turns = new Turns(init);
  }

  get unread(): boolean {
    return this.#inbox.size > 0;
  }

  data(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  finish(error: ParleyError, inOrder: boolean): void {
    this.#reader.end(inOrder);
    this.#turns.finish(error);
    this.#inbox.finish(inOrder ? undefined : error);
  }

  async send(message: unknown, operation: Operation): Promise<void> {
    await this.#init.outbox.write(encodeMessage(message, this.#format, this.#lines), operation);
  }

  async request(question: unknown, operation: Operation): Promise<unknown> {
    return await this.#turns.wait(undefined, operation, encodeMessage(question, this.#format, this.#lines));
  }

  next(operation: Operation): Promise<IteratorResult<unknown, undefined>> {
    return this.#inbox.next(operation);
  }

  #receive(message: unknown, bytes: number): boolean {
    const turn = this.#turns.first;
    if (turn) this.#turns.settle(turn, message);
    else this.#inbox.push(message, bytes);
    return true;
  }
}

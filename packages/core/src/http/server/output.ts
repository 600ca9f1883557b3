import {
  type DeadlineListener,
  type Envelope,
  type Opener,
  type ParleyError,
  reply,
  type WatchedDeadline,
} from "../../transport/index.ts";
import { type LineSink, LineWriter } from "../wire/line-writer.ts";
import type { Desk } from "./desk.ts";
import type { Exchange } from "./exchange.ts";
import { type Format, sendable } from "./format.ts";
import { itemBatch } from "./item-batch.ts";
import { encodingOf, endResponse, streamHead, writeStreamHead } from "./response.ts";

/** Who waits for the answer of a stream to be written. */
export interface StreamOwner {
  /** All has been written. */
  ended(): void;
  /** The items threw. */
  failed(thrown: unknown): void;
  /** The reader will not come back. */
  left(reason?: ParleyError): void;
}

/** How the answer of a stream is written. */
export interface OutputInit {
  readonly format: Format;
  readonly opener: Opener;
  /** Sends the head without waiting for the first item. */
  readonly headAtOnce: boolean;
  /** Tells by an event that the handler has accepted, which the head then does not say. */
  readonly acceptance: boolean;
  readonly owner: StreamOwner;
}

/** The answer of a stream, on its way. */
export interface AnswerStream {
  /** Whether the answer has begun: its head is sent, or an item is about to be. */
  readonly started: boolean;
  start(): void;
  /** Ends a stream that has started with an error, after the items so far. */
  fail(error: ParleyError): void;
  /** Writes no more. */
  stop(): void;
  /** The response has closed. Returns whether the stream outlives it. */
  detach(): boolean;
}

/**
 * How long the head of an answer waits for a first item: a refusal that comes within this time still has a status of its own, and a caller
 * learns no later that the stream was accepted.
 */
export const HEAD_HOLD_MS = 50;

/** The answer of a stream: items, then an explicit end. While there are none, it shows a sign of life every heartbeat. */
export class Output implements AnswerStream, LineSink, DeadlineListener {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #init: OutputInit;
  readonly #writer: LineWriter;
  readonly #onDrain = (): void => this.#writer.drained();
  #timer: WatchedDeadline | undefined;
  #wroteAt = 0;
  #over = false;

  constructor(desk: Desk, exchange: Exchange, items: AsyncIterable<Envelope>, init: OutputInit) {
    const { response } = exchange;
    const { format, opener } = init;
    this.#desk = desk;
    this.#exchange = exchange;
    this.#init = init;
    this.#writer = new LineWriter(items, {
      runtime: desk.runtime,
      sink: this,
      lineOf: (item, seq) => sendable(opener, () => format.item(item, seq)),
      batch: itemBatch(exchange, init),
    });
    response.on("drain", this.#onDrain);
    // A write after the peer has left; the response closes, and that is seen to.
    response.on("error", () => {});
  }

  get started(): boolean {
    return this.#exchange.response.headersSent || this.#writer.nextSeq !== 1;
  }

  start(): void {
    const { headAtOnce, acceptance, owner, format, opener } = this.#init;
    if (headAtOnce) this.#sendHead();
    if (acceptance) this.#writer.push(format.event(reply(opener, this.#desk.source)));
    this.#sleep(headAtOnce ? this.#desk.hop.heartbeatMs : HEAD_HOLD_MS);
    this.#writer.run().then(
      (complete) => {
        if (!complete || this.#over) return;
        this.#end();
        owner.ended();
      },
      (thrown: unknown) => {
        if (!this.#over) owner.failed(thrown);
      },
    );
  }

  write(text: string): boolean {
    const { response } = this.#exchange;
    if (response.destroyed) return false;
    this.#prepareHead();
    this.#wroteAt = this.#desk.runtime.now();
    return response.write(text, encodingOf(text, Buffer.byteLength(text)));
  }

  fail(error: ParleyError): void {
    if (this.#over) return;
    const { response } = this.#exchange;
    const { format, opener } = this.#init;
    const failure = format.failure(error, opener, this.#desk.source, this.#writer.nextSeq);
    const rest = `${this.#writer.takeRest()}${failure}\n`;
    this.stop();
    if (response.destroyed) return;
    this.#prepareHead();
    if (format.tellsFailure) endResponse(this.#desk, this.#exchange, rest);
    else response.write(rest, () => response.destroy());
  }

  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#writer.stop();
    this.#exchange.response.off("drain", this.#onDrain);
    if (this.#timer) this.#desk.runtime.deadlines.remove(this.#timer);
  }

  detach(): boolean {
    return false;
  }

  onDeadline(): void {
    const { response } = this.#exchange;
    const { runtime, hop } = this.#desk;
    if (this.#over || response.destroyed) return;
    if (!response.headersSent) this.#sendHead();
    else if (runtime.now() - this.#wroteAt >= hop.heartbeatMs && !response.writableNeedDrain) {
      this.write(this.#init.format.heartbeat);
    }
    this.#sleep(hop.heartbeatMs);
  }

  #end(): void {
    const { format, opener } = this.#init;
    const last = format.end(opener, this.#desk.source, this.#writer.nextSeq);
    const rest = this.#writer.takeRest() + (last === undefined ? "" : `${last}\n`);
    this.stop();
    if (this.#exchange.response.destroyed) return;
    this.#prepareHead();
    endResponse(this.#desk, this.#exchange, rest);
  }

  #sendHead(): void {
    const { response } = this.#exchange;
    if (response.headersSent || response.destroyed) return;
    streamHead(this.#desk, this.#exchange, this.#init.format.streamType);
    this.#wroteAt = this.#desk.runtime.now();
  }

  #prepareHead(): void {
    if (!this.#exchange.response.headersSent) writeStreamHead(this.#desk, this.#exchange, this.#init.format.streamType);
  }

  #sleep(delayMs: number): void {
    const { runtime } = this.#desk;
    if (!this.#over) this.#timer = runtime.deadlines.add(runtime.now() + delayMs, this);
  }
}

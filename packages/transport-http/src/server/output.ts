import type { DeadlineListener, Envelope, Opener, ParleyError, WatchedDeadline } from "@parley/core/transport";
import { type LineSink, LineWriter } from "../wire/line-writer.ts";
import type { Desk } from "./desk.ts";
import type { Exchange } from "./exchange.ts";
import { type Format, sendable } from "./format.ts";
import { encodingOf, endResponse, writeHead } from "./response.ts";

/** How the answer of a stream is written. */
export interface OutputInit {
  readonly format: Format;
  readonly opener: Opener;
  /** Sends the head without waiting for the first item. */
  readonly headAtOnce: boolean;
  /** Called once: when all has been written, or with what the items threw. */
  readonly done: (failed: boolean, thrown: unknown) => void;
}

/**
 * How long the head of an answer waits for a first item: a refusal that comes within this time still has a status of its own, and a caller
 * learns no later that the stream was accepted.
 */
const HEAD_HOLD_MS = 50;

/** The answer of a stream: items as lines, then an explicit end. While there are none, a blank line shows a sign of life every heartbeat. */
export class Output implements LineSink, DeadlineListener {
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
    });
    response.on("drain", this.#onDrain);
    // A write after the peer has left; the response closes, and that is seen to.
    response.on("error", () => {});
  }

  /** Whether the answer has begun: its head is sent, or an item is about to be. */
  get started(): boolean {
    return this.#exchange.response.headersSent || this.#writer.nextSeq !== 1;
  }

  start(): void {
    const { headAtOnce, done } = this.#init;
    if (headAtOnce) this.#sendHead();
    this.#sleep(headAtOnce ? this.#desk.hop.heartbeatMs : HEAD_HOLD_MS);
    this.#writer.run().then(
      (complete) => {
        if (!complete || this.#over) return;
        this.#end();
        done(false, undefined);
      },
      (thrown: unknown) => {
        if (!this.#over) done(true, thrown);
      },
    );
  }

  write(text: string): boolean {
    const { response } = this.#exchange;
    if (response.destroyed) return false;
    this.#sendHead();
    this.#wroteAt = this.#desk.runtime.now();
    return response.write(text, encodingOf(text, Buffer.byteLength(text)));
  }

  /** Ends a stream that has started with an error, after the items so far. */
  fail(error: ParleyError): void {
    if (this.#over) return;
    const { response } = this.#exchange;
    const { format, opener } = this.#init;
    const failure = format.failure(error, opener, this.#desk.source, this.#writer.nextSeq);
    const rest = `${this.#writer.takeRest()}${failure}\n`;
    this.stop();
    if (response.destroyed) return;
    this.#sendHead();
    if (format.tellsFailure) endResponse(this.#desk, this.#exchange, rest);
    else response.write(rest, () => response.destroy());
  }

  /** Writes no more. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#writer.stop();
    this.#exchange.response.off("drain", this.#onDrain);
    if (this.#timer) this.#desk.runtime.deadlines.remove(this.#timer);
  }

  onDeadline(): void {
    const { response } = this.#exchange;
    const { runtime, hop } = this.#desk;
    if (this.#over || response.destroyed) return;
    if (!response.headersSent) this.#sendHead();
    else if (runtime.now() - this.#wroteAt >= hop.heartbeatMs && !response.writableNeedDrain) this.write("\n");
    this.#sleep(hop.heartbeatMs);
  }

  #end(): void {
    const { format, opener } = this.#init;
    const last = format.end(opener, this.#desk.source, this.#writer.nextSeq);
    const rest = this.#writer.takeRest() + (last === undefined ? "" : `${last}\n`);
    this.stop();
    if (this.#exchange.response.destroyed) return;
    this.#sendHead();
    endResponse(this.#desk, this.#exchange, rest);
  }

  #sendHead(): void {
    const { response } = this.#exchange;
    if (response.headersSent || response.destroyed) return;
    const type = this.#init.format.streamType;
    writeHead(this.#desk, this.#exchange, 200, [
      "Content-Type",
      type,
      "Cache-Control",
      "no-store",
      "X-Accel-Buffering",
      "no",
    ]);
    response.flushHeaders();
    this.#wroteAt = this.#desk.runtime.now();
  }

  #sleep(delayMs: number): void {
    const { runtime } = this.#desk;
    if (!this.#over) this.#timer = runtime.deadlines.add(runtime.now() + delayMs, this);
  }
}

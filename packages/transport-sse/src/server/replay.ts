import {
  type AnswerStream,
  type Endpoint,
  type Exchange,
  encodingOf,
  endResponse,
  HEAD_HOLD_MS,
  itemBatch,
  type LineSink,
  LineWriter,
  type OutputInit,
  sendable,
  streamHead,
} from "@parley/core/http";
import type { DeadlineListener, Envelope, ParleyError, WatchedDeadline } from "@parley/core/transport";
import { OVER, positionText } from "../event-stream.ts";
import { CancelTarget } from "./cancel-target.ts";
import { KeptEvents } from "./kept-events.ts";
import type { ReplayBook } from "./replay-book.ts";

/** How long a browser waits before it comes back, ms. */
const RETRY_MS = 1_000;

/**
 * The answer of a stream that outlives the response it is written to: the latest items are kept, and a reader who comes back within the
 * window goes on after the last one it has. Without a reader, items are taken from the handler until half of what is kept is new; then it
 * has to wait.
 */
export class Replay implements AnswerStream, LineSink, DeadlineListener {
  place = -1;
  readonly session: string;
  /** Who opened it, as authenticated; nobody else takes it up. */
  readonly principal: string | undefined;
  /** Whose it is as far as anybody knows: who called, or from where. */
  readonly owner: string;
  readonly #endpoint: Endpoint;
  readonly #book: ReplayBook;
  readonly #init: OutputInit;
  readonly #writer: LineWriter;
  readonly #cancelling: CancelTarget;
  readonly #kept: KeptEvents;
  readonly #onDrain = (): void => this.#writer.drained();
  /** What opened it, and what it is written to now. */
  readonly #first: Exchange;
  #exchange: Exchange | undefined;
  /** The last words of the stream. */
  #last: string | undefined;
  #dropped = false;
  #detached = false;
  #waitsSince = 0;
  #timer: WatchedDeadline | undefined;
  #wroteAt = 0;

  constructor(
    session: string,
    endpoint: Endpoint,
    book: ReplayBook,
    exchange: Exchange,
    items: AsyncIterable<Envelope>,
    init: OutputInit,
  ) {
    const { address, principal } = endpoint.peers.of(exchange.request.socket).peer;
    const { format, opener, owner } = init;
    this.session = session;
    this.principal = principal;
    this.owner = principal ?? ` ${address?.replace(/:\d+$/, "")}`;
    this.#endpoint = endpoint;
    this.#book = book;
    this.#init = init;
    this.#first = exchange;
    this.#exchange = exchange;
    this.#kept = new KeptEvents(session, book);
    this.#cancelling = new CancelTarget(opener.id, principal, owner);
    this.#writer = new LineWriter(items, {
      runtime: endpoint.runtime,
      sink: this,
      lineOf: (item, seq) =>
        this.#kept.add(
          sendable(opener, () => format.item(item, seq)),
          1,
        ),
      batch: itemBatch(exchange, init, (line, items) => this.#kept.add(line, items)),
    });
    endpoint.uplinks.add(this.#cancelling);
    this.#listenTo(exchange);
  }

  get started(): boolean {
    return this.#exchange === undefined || this.#exchange.response.headersSent || this.#writer.nextSeq !== 1;
  }

  /** Whether its last words are said. */
  get ended(): boolean {
    return this.#last !== undefined;
  }

  /** Since when it waits for a reader, or to be forgotten; means nothing while it has one. */
  get waitsSince(): number {
    return this.#waitsSince;
  }

  start(): void {
    const { headAtOnce, owner } = this.#init;
    if (headAtOnce) this.#sendHead();
    this.#sleep(headAtOnce ? this.#endpoint.hop.heartbeatMs : HEAD_HOLD_MS);
    this.#writer.run().then(
      (complete) => {
        if (!complete || this.#last !== undefined || this.#dropped) return;
        const { format, opener } = this.#init;
        this.#end(format.end(opener, this.#endpoint.source, this.#writer.nextSeq) ?? "");
        owner.ended();
      },
      (thrown: unknown) => {
        if (this.#last === undefined && !this.#dropped) owner.failed(thrown);
      },
    );
  }

  write(text: string): boolean {
    const exchange = this.#exchange;
    if (!exchange) return this.#kept.hasRoom;
    this.#sendHead();
    return this.#send(exchange, text);
  }

  fail(error: ParleyError): void {
    if (this.#last !== undefined || this.#dropped) return;
    const { format, opener } = this.#init;
    this.#end(format.failure(error, opener, this.#endpoint.source, this.#writer.nextSeq));
  }

  /** The call is over. What was said last is kept for a while; a stream that was given up is forgotten. */
  stop(): void {
    if (this.#last === undefined) this.drop();
  }

  detach(): boolean {
    return this.#detachFrom(this.#first);
  }

  /**
   * Goes on in another response, after the last item that its reader has. Whoever reads it now is cut off.
   * Returns whether it can: what comes next must still be there.
   */
  attach(exchange: Exchange, items: number): boolean {
    this.#writer.seal();
    const text = this.#dropped ? undefined : this.#kept.after(items);
    if (text === undefined) return false;
    const before = this.#exchange;
    this.#exchange = exchange;
    before?.response.destroy();
    if (this.#detached) this.#book.attached(this);
    this.#detached = false;
    this.#book.waitsNot(this);
    this.#listenTo(exchange);
    // What waits to be written is among what is kept.
    this.#writer.takeRest();
    this.#sendHead(items);
    if (this.#last !== undefined) {
      this.#wait();
      this.#sendLast(exchange, text + this.#last);
    } else if (text === "" || this.#send(exchange, text)) this.#writer.drained();
    return true;
  }

  /** Forgets it; a call that is still under way is given up. */
  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    if (this.#detached) this.#book.attached(this);
    this.#detached = false;
    this.#book.waitsNot(this);
    this.#release();
    this.#kept.clear();
    this.#book.delete(this);
    if (this.#last !== undefined) return;
    const response = this.#exchange?.response;
    // A refusal instead of a stream is an answer, which is let leave.
    if (response && !response.writableEnded) response.destroy();
    this.#init.owner.left();
  }

  onDeadline(): void {
    const { runtime, hop } = this.#endpoint;
    this.#timer = undefined;
    if (this.#last !== undefined || this.#dropped) return;
    const exchange = this.#exchange;
    if (exchange && !exchange.response.headersSent) this.#sendHead();
    else if (exchange && runtime.now() - this.#wroteAt >= hop.heartbeatMs && !exchange.response.writableNeedDrain) {
      this.#send(exchange, this.#init.format.heartbeat);
    }
    this.#sleep(hop.heartbeatMs);
  }

  #listenTo(exchange: Exchange): void {
    const { response } = exchange;
    response.on("drain", this.#onDrain);
    // A write after the peer has left; the response closes, and that is seen to.
    response.on("error", () => {});
    response.on("close", () => this.#detachFrom(exchange));
  }

  #wait(): void {
    this.#waitsSince = this.#endpoint.runtime.now();
    this.#book.waits(this);
  }

  /** A response has closed. Returns whether the stream goes on without it. */
  #detachFrom(exchange: Exchange): boolean {
    if (this.#dropped) return false;
    if (this.#exchange !== exchange || this.#last !== undefined) return true;
    // Nobody has learned its name, or could come back.
    if (!exchange.response.headersSent || this.#endpoint.closing) return false;
    this.#exchange = undefined;
    this.#detached = true;
    this.#wait();
    this.#book.detached(this);
    this.#writer.drained();
    return true;
  }

  #end(words: string): void {
    const text = `id: ${positionText(this.session, OVER)}\n${words}\n`;
    const rest = this.#writer.takeRest();
    this.#last = text;
    this.#release();
    const exchange = this.#exchange;
    if (!exchange) return;
    this.#wait();
    if (exchange.response.destroyed) return;
    this.#sendHead();
    this.#sendLast(exchange, rest + text);
  }

  #sendLast(exchange: Exchange, text: string): void {
    this.#book.ended(this, exchange.request.socket);
    endResponse(this.#endpoint, exchange, text, encodingOf(text, Buffer.byteLength(text)));
  }

  #release(): void {
    this.#writer.stop();
    this.#endpoint.uplinks.delete(this.#cancelling);
    if (this.#timer) this.#endpoint.runtime.deadlines.remove(this.#timer);
    this.#timer = undefined;
  }

  #send({ response }: Exchange, text: string): boolean {
    if (response.destroyed) return false;
    this.#kept.written();
    this.#wroteAt = this.#endpoint.runtime.now();
    return response.write(text, encodingOf(text, Buffer.byteLength(text)));
  }

  /** The head, and where in the stream its reader is before anything follows. */
  #sendHead(items = 0): void {
    const exchange = this.#exchange;
    if (!exchange || exchange.response.headersSent || exchange.response.destroyed) return;
    streamHead(
      this.#endpoint,
      exchange,
      this.#init.format.streamType,
      `retry: ${RETRY_MS}\nid: ${positionText(this.session, items)}\n\n`,
    );
    this.#wroteAt = this.#endpoint.runtime.now();
  }

  #sleep(delayMs: number): void {
    const { runtime } = this.#endpoint;
    this.#timer = runtime.deadlines.add(runtime.now() + delayMs, this);
  }
}

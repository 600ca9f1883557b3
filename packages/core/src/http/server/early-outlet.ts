import type { DeadlineListener, Envelope, ParleyError, WatchedDeadline } from "../../transport/index.ts";
import type { Desk } from "./desk.ts";
import type { Exchange } from "./exchange.ts";
import { type Format, sendable } from "./format.ts";
import type { Outlet } from "./outlet.ts";
import { encodingOf, endResponse, streamHead } from "./response.ts";

/**
 * Answers a call whose caller sends on by other requests, and has to know that it may: unless the answer is there at once, its head goes
 * before it. What comes later is then told in the body.
 */
export class EarlyOutlet implements Outlet, DeadlineListener {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #format: Format;
  readonly #opener: Envelope;
  readonly #direct: Outlet;
  #timer: WatchedDeadline | undefined;

  /** @param direct answers while no head was sent. */
  constructor(desk: Desk, exchange: Exchange, format: Format, opener: Envelope, direct: Outlet) {
    this.#desk = desk;
    this.#exchange = exchange;
    this.#format = format;
    this.#opener = opener;
    this.#direct = direct;
    const { runtime } = desk;
    const { response } = exchange;
    // The turn after this one: a refusal without waiting keeps its status.
    runtime.nextTurn(() => {
      if (response.headersSent || response.destroyed) return;
      // Some proxies keep a head until there is something after it.
      streamHead(desk, exchange, format.streamType, format.heartbeat);
      this.#sleep();
      response.on("close", () => {
        if (this.#timer) runtime.deadlines.remove(this.#timer);
      });
    });
  }

  accept(): void {
    this.#direct.accept();
  }

  reply(message: Envelope): void {
    const { response } = this.#exchange;
    if (!response.headersSent) return this.#direct.reply(message);
    this.#end(sendable(this.#opener, () => this.#format.event(message)));
  }

  fail(error: ParleyError): void {
    const { response } = this.#exchange;
    if (!response.headersSent) return this.#direct.fail(error);
    this.#end(this.#format.failure(error, this.#opener, this.#desk.source, 1));
  }

  onDeadline(): void {
    const { response } = this.#exchange;
    if (response.destroyed || response.writableEnded) return;
    if (!response.writableNeedDrain) response.write(this.#format.heartbeat);
    this.#sleep();
  }

  #end(line: string): void {
    const { response } = this.#exchange;
    if (response.destroyed || response.writableEnded) return;
    const text = `${line}\n`;
    endResponse(this.#desk, this.#exchange, text, encodingOf(text, Buffer.byteLength(text)));
  }

  #sleep(): void {
    const { runtime, hop } = this.#desk;
    this.#timer = runtime.deadlines.add(runtime.now() + hop.heartbeatMs, this);
  }
}

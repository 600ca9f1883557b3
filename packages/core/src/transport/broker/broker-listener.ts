import { ParleyError, TransportError, toParleyError } from "../../call/error.ts";
import type { Handler } from "../../call/interceptor.ts";
import { type Backoff, fullJitter } from "../../runtime/backoff.ts";
import { pause } from "../../runtime/pause.ts";
import { noStats, pastStats, sumStats } from "../connection-stats.ts";
import type { CloseOptions, ConnectionStats, Listener } from "../transport.ts";
import type { Arrival, Broker, OpenBroker, Unsubscribe } from "./broker.ts";
import { lost } from "./broker-connection.ts";
import { Exchange, type ExchangeInit } from "./exchange.ts";
import { TopicBridge } from "./topic-bridge.ts";

/** What a listener behind a broker is made from. */
export interface BrokerListenerInit extends Omit<ExchangeInit, "handler" | "dialled"> {
  readonly url: URL;
  readonly agent: string;
  readonly handler: Handler;
  readonly bridged: boolean;
}

/** How a link that was lost is opened again. */
const reopening: Backoff = { baseMs: 100, maxMs: 10_000 };

/** One link, and what runs over it. */
interface Link {
  readonly broker: Broker;
  readonly exchange: Exchange;
  readonly unsubscribe: Unsubscribe;
  readonly bridge: TopicBridge | undefined;
}

/**
 * Answers calls to an agent behind a broker. When the link is lost, the calls under way are aborted, since their callers are told the same,
 * and it comes back by itself. Made by `listenBroker`.
 */
export class BrokerListener implements Listener {
  readonly url: URL;
  readonly #open: OpenBroker;
  readonly #init: BrokerListenerInit;
  readonly #closing = new AbortController();
  #link: Link | undefined;
  #reopening: Promise<void> | undefined;
  #past = noStats;
  /** Attempts to open the link since it last lasted. */
  #attempts = 0;
  #openedAt = 0;
  #closed: Promise<void> | undefined;

  constructor(open: OpenBroker, init: BrokerListenerInit) {
    this.url = init.url;
    this.#open = open;
    this.#init = init;
  }

  /** Opens the link; once for the first time, then by itself. */
  async connect(): Promise<void> {
    const { agent, handler, source, runtime, log, bridged } = this.#init;
    let exchange: Exchange | undefined;
    let down: ParleyError | undefined;
    const broker = await this.#open(
      {
        inbox: (arrival) => exchange?.receive(arrival, "inbox"),
        refused: (error, unread) => exchange?.unreadable(error, unread),
        down: (error) => {
          down = error;
          if (exchange && this.#link?.exchange === exchange) this.#down(this.#link, error);
          else exchange?.lose(lost(error));
        },
      },
      this.#closing.signal,
    );
    try {
      const own = new Exchange(broker, { ...this.#init, dialled: false });
      exchange = own;
      const bridge = bridged ? new TopicBridge({ handler, exchange: own, source, runtime, log }) : undefined;
      const unsubscribe = await broker.subscribe({ agent }, (arrival: Arrival) => own.receive(arrival, "agent"));
      if (down) throw down;
      if (this.#closing.signal.aborted) throw closedMeanwhile();
      this.#link = { broker, exchange: own, unsubscribe, bridge };
      this.#openedAt = runtime.now();
      await bridge?.start();
    } catch (thrown) {
      exchange?.lose(lost(toParleyError(thrown)));
      await broker.close().catch(() => {});
      throw thrown;
    }
  }

  stats(): ConnectionStats {
    return this.#link ? sumStats([this.#past, this.#link.exchange.stats()]) : this.#past;
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#shutDown(options);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown({ graceMs = 5_000 }: CloseOptions): Promise<void> {
    this.#closing.abort(closedMeanwhile());
    await this.#reopening;
    const link = this.#link;
    if (!link) return;
    const stopped = link.unsubscribe().catch(() => {});
    const reason = new TransportError("unavailable", "the listener was closed", { outcome: "unknown" });
    await link.exchange.drain(graceMs, reason);
    link.bridge?.stop();
    if (this.#link !== link) return;
    await stopped;
    await link.broker.close().catch(() => {});
    this.#leave(link, reason);
  }

  #down(link: Link, error: ParleyError): void {
    const { log, agent } = this.#init;
    this.#leave(link, lost(error));
    log?.({ level: "warn", event: "link-lost", message: error.message, error, fields: { agent } });
    if (!this.#closing.signal.aborted) this.#reopening = this.#reopen();
  }

  #leave(link: Link, error: ParleyError): void {
    this.#link = undefined;
    link.bridge?.stop();
    link.exchange.lose(error);
    this.#past = sumStats([this.#past, pastStats(link.exchange.stats())]);
  }

  async #reopen(): Promise<void> {
    const { log, agent, runtime } = this.#init;
    const { signal } = this.#closing;
    // A link that is lost as soon as it is open (to another with the same name, say) does not come back ever faster.
    if (runtime.now() - this.#openedAt >= reopening.maxMs) this.#attempts = 0;
    while (!signal.aborted) {
      const attempt = ++this.#attempts;
      await pause(fullJitter(attempt, reopening, runtime), signal, runtime);
      if (signal.aborted) return;
      try {
        await this.connect();
        log?.({
          level: "info",
          event: "link-restored",
          message: `calls to ${agent} arrive again`,
          fields: { agent, attempt },
        });
        return;
      } catch (thrown) {
        const error = toParleyError(thrown);
        if (signal.aborted) return;
        const message = `the link is still down: ${error.message}`;
        log?.({ level: "warn", event: "link-not-restored", message, error, fields: { agent, attempt } });
      }
    }
  }
}

function closedMeanwhile(): ParleyError {
  return new ParleyError("cancelled", "the listener was closed", { outcome: "not-sent" });
}

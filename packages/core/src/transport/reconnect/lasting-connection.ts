import type { Call } from "../../call/call.ts";
import { type ParleyError, TransportError, toParleyError } from "../../call/error.ts";
import type { Reply } from "../../call/interceptor.ts";
import type { Log } from "../../call/log.ts";
import { isRefusal } from "../../credentials/presenter.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { within } from "../../runtime/within.ts";
import { noStats, pastStats, sumStats } from "../connection-stats.ts";
import type { Hello } from "../hello.ts";
import type { Keeper, KeeperOwner } from "../session/keeper.ts";
import type { CloseOptions, Connection, ConnectionState, ConnectionStats } from "../transport.ts";
import type { LastingSubscription } from "./lasting-subscription.ts";
import { LastingSubscriptions } from "./lasting-subscriptions.ts";
import type { ReconnectPolicy } from "./options.ts";
import type { Health, ReconnectingConnection, StateChange } from "./reconnecting-connection.ts";
import { mayRedial, Redial } from "./redial.ts";
import { WaitingCalls } from "./waiting-calls.ts";

/** What a {@link LastingConnection} is made from. */
export interface LastingConnectionInit {
  readonly first: Connection;
  /** Dials once more; the signal gives it up. */
  dial(signal: AbortSignal): Promise<Connection>;
  /** What those that are dialled keep of the one before. Without it each begins anew. */
  readonly keeper: Keeper | undefined;
  readonly policy: ReconnectPolicy;
  /** Time for a connection and its subscriptions to be back, ms. */
  readonly connectTimeoutMs: number;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

/** Connections to one address, one after the other. Made by `reconnecting`. */
export class LastingConnection implements ReconnectingConnection, KeeperOwner {
  readonly #init: LastingConnectionInit;
  readonly #closed: PromiseWithResolvers<ParleyError | undefined> = Promise.withResolvers();
  readonly #waiting: WaitingCalls;
  readonly #listeners = new Set<(change: StateChange) => void>();
  /** Those that have not ended: the current one, and those before it that still drain. */
  readonly #live = new Set<Connection>();
  /** Calls that were made once more with another credential, and are not a second time. */
  readonly #repeated = new WeakSet<Call>();
  /** Aborted when nobody wants a connection any more. */
  readonly #giveUp = new AbortController();
  readonly #redial: Redial;
  readonly #subscriptions: LastingSubscriptions;
  #current: Connection;
  #hello: Hello;
  #state: ConnectionState = "open";
  #past: ConnectionStats = noStats;
  #lastError: ParleyError | undefined;
  #closing: Promise<void> | undefined;

  constructor(init: LastingConnectionInit) {
    const { first, policy, runtime, log } = init;
    this.#init = init;
    this.#current = first;
    this.#hello = first.hello;
    this.#redial = new Redial({
      policy,
      runtime,
      log,
      signal: this.#giveUp.signal,
      waits: (wait) => {
        this.#lastError = wait.error;
        this.#turn({ state: "reconnecting", ...wait });
      },
      gaveUp: (error) => this.#end(error),
    });
    this.#redial.opened();
    this.#subscriptions = new LastingSubscriptions({
      policy,
      runtime,
      signal: this.#giveUp.signal,
      survives: ({ code }) =>
        code === "unavailable" || (code === "unauthenticated" && this.#current.renewal !== undefined),
      broken: (subscription, cut) => this.#broken(subscription, cut),
      uses: (connection) => this.#current === connection,
      failed: (error) => {
        this.#lastError = error;
      },
    });
    this.#waiting = new WaitingCalls({ ...policy, runtime, reason: () => this.#lastError });
    this.#watch(first);
    init.keeper?.tell(this);
    // It was quicker than this.
    if (first.state === "reconnecting") this.cut(undefined);
  }

  get hello(): Hello {
    return this.#hello;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get closed(): Promise<ParleyError | undefined> {
    return this.#closed.promise;
  }

  readonly call = (call: Call): Promise<Reply> => {
    if (this.#state === "open") {
      if (this.#current.state === "open") return this.#pass(call);
      // It is going, and has not said so yet.
      this.#lost(undefined);
    }
    if (this.#state === "reconnecting") return this.#waiting.add(call);
    const why = this.#state === "closed" ? "has ended" : "is closing";
    return Promise.reject(
      new TransportError("unavailable", `the connection ${why}`, { outcome: "not-sent", cause: this.#lastError }),
    );
  };

  stats(): ConnectionStats {
    return sumStats([this.#past, ...[...this.#live].map((connection) => connection.stats())]);
  }

  ping(): Promise<{ readonly roundTripMs: number }> {
    if (this.#state === "open") return this.#current.ping();
    return Promise.reject(
      new TransportError("unavailable", `the connection is ${this.#state}`, {
        outcome: "not-sent",
        cause: this.#lastError,
      }),
    );
  }

  async health({ timeoutMs = 5_000 }: { readonly timeoutMs?: number } = {}): Promise<Health> {
    try {
      const { roundTripMs } = await within(
        this.ping(),
        { timeoutMs },
        this.#init.runtime,
        "no sign of life",
        "unknown",
      );
      return { state: this.#state, roundTripMs, lastError: this.#lastError };
    } catch (thrown) {
      return { state: this.#state, lastError: this.#state === "open" ? toParleyError(thrown) : this.#lastError };
    }
  }

  onState(listener: (change: StateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(options?: CloseOptions): Promise<void> {
    this.#closing ??= this.#shutDown(options);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The connection has lost its wire, and waits for this side to dial. */
  cut(reason: ParleyError | undefined): void {
    if (this.#state === "draining") void this.#sayGoodbye();
    // One that was left for another credential may still be ending.
    else if (this.#current.state === "reconnecting") this.#lost(reason);
  }

  progressed(): void {
    this.#redial.progressed();
  }

  move(call: Call, from: Connection): Promise<Reply> | undefined {
    // What is called now may have gone by another connection already.
    if (from !== this.#current || (this.#state !== "open" && this.#state !== "reconnecting")) return undefined;
    // Made anew with every connection.
    if (this.#subscriptions.gapOf(call)) return undefined;
    return this.#waiting.addLeft(call);
  }

  #pass(call: Call): Promise<Reply> {
    const gap = this.#subscriptions.gapOf(call);
    return gap ? this.#subscriptions.open(call, gap, this.#make) : this.#make(call);
  }

  /**
   * Makes a call; one whose caller the peer no longer knows, before anything has run, once more on a connection with another credential. The
   * caller's items are there only once: a call with items is not made again.
   */
  readonly #make = (call: Call): Promise<Reply> => {
    const connection = this.#current;
    const { renewal } = connection;
    if (renewal?.by !== "dial" || this.#repeated.has(call)) return connection.call(call);
    return connection.call(call).catch((thrown: unknown) => {
      if (!isRefusal(thrown) || thrown.outcome !== "not-sent" || !renewal.refused()) throw thrown;
      this.#renew(connection, thrown);
      if (call.input || call.aborted) throw thrown;
      this.#repeated.add(call);
      return this.call(call);
    });
  };

  /** Dials anew, with another credential; calls under way end on the connection that they began on. */
  #renew(connection: Connection, cause: ParleyError): void {
    if (this.#current !== connection || this.#state !== "open") return;
    void connection.close();
    this.#lost(new TransportError("unavailable", "the peer no longer accepts the credential", { cause }));
  }

  #watch(connection: Connection): void {
    this.#live.add(connection);
    connection.closed.then((reason) => {
      this.#live.delete(connection);
      this.#past = sumStats([this.#past, pastStats(connection.stats())]);
      if (this.#current === connection) this.#lost(reason);
    });
  }

  #lost(reason: ParleyError | undefined): void {
    if (this.#state !== "open") return;
    this.#lastError = reason ?? new TransportError("unavailable", "the peer closed the connection");
    if (mayRedial(this.#lastError)) void this.#redial.run(this.#lastError, () => this.#dial());
    else this.#end(this.#lastError);
  }

  async #dial(): Promise<void> {
    const { signal } = this.#giveUp;
    const { runtime, connectTimeoutMs } = this.#init;
    const deadline = runtime.now() + connectTimeoutMs;
    const connection = await this.#init.dial(signal);
    if (connection === this.#current) return this.#resumed(connection);
    try {
      const back = this.#subscriptions.remake(connection);
      const timeoutMs = Math.max(0, deadline - runtime.now());
      await within(back, { timeoutMs }, runtime, "subscriptions were not back", "unknown");
      if (signal.aborted || connection.state !== "open")
        throw new TransportError("unavailable", "the connection was lost again at once");
    } catch (thrown) {
      await connection.close({ graceMs: 0 });
      throw thrown;
    }
    this.#current = connection;
    this.#hello = connection.hello;
    this.#watch(connection);
    this.#open();
  }

  /** The same connection goes on, and with it all that was under way. */
  #resumed(connection: Connection): void {
    if (this.#state !== "reconnecting") return;
    if (connection.state !== "open")
      throw new TransportError("unavailable", "the connection was lost again at once", { cause: this.#lastError });
    this.#open();
    this.#subscriptions.mendCut(connection);
  }

  #open(): void {
    this.#redial.opened();
    this.#turn({ state: "open" });
    this.#waiting.flush(this.call);
  }

  /** A subscription was cut while its connection may live on, as on wires that give each its own. */
  #broken(subscription: LastingSubscription, cut: ParleyError): void {
    const connection = this.#current;
    if (this.#state !== "open" || connection.state !== "open") return;
    if (cut.code === "unauthenticated" && connection.renewal?.by === "dial") {
      if (connection.renewal.refused()) this.#renew(connection, cut);
      else subscription.fail(cut);
    } else void this.#subscriptions.mend(subscription, connection);
  }

  async #shutDown(options?: CloseOptions): Promise<void> {
    if (this.#state === "closed") return;
    const away = this.#state === "reconnecting";
    this.#turn({ state: "draining" });
    this.#giveUp.abort();
    this.#waiting.fail(new TransportError("unavailable", "the connection was closed", { outcome: "not-sent" }));
    const closed = Promise.all([...this.#live].map((connection) => connection.close(options)));
    if (away) void this.#sayGoodbye();
    await closed;
    this.#end(undefined);
  }

  /** Comes back once more, so that the peer need not wait for this side. */
  async #sayGoodbye(): Promise<void> {
    const { keeper, dial } = this.#init;
    const current = this.#current;
    if (!keeper?.kept || current.state === "closed") return;
    const over = new AbortController();
    current.closed.then(() => over.abort());
    try {
      const connection = await dial(over.signal);
      if (connection !== current) await connection.close({ graceMs: 0 });
    } catch (thrown) {
      keeper.kept?.lose(toParleyError(thrown));
    }
  }

  #end(reason: ParleyError | undefined): void {
    if (this.#state === "closed") return;
    this.#lastError = reason ?? this.#lastError;
    this.#turn({ state: "closed", error: reason });
    this.#giveUp.abort();
    this.#init.keeper?.kept?.lose(reason ?? new TransportError("unavailable", "the connection was closed"));
    const message = reason ? `the connection was given up: ${reason.message}` : "the connection was closed";
    this.#waiting.fail(new TransportError("unavailable", message, { outcome: "not-sent", cause: reason }));
    this.#subscriptions.fail(new TransportError("unavailable", message, { outcome: "unknown", cause: reason }));
    this.#closed.resolve(reason);
  }

  #turn(change: StateChange): void {
    this.#state = change.state;
    for (const listener of [...this.#listeners]) listener(change);
  }
}

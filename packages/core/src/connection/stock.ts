import { cancelled, type ParleyError, TransportError } from "../call/error.ts";
import type { Log } from "../call/log.ts";
import { withOutcome } from "../call/outcome.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type OperationOptions, within } from "../runtime/within.ts";
import type { Closable } from "./closable.ts";
import { HeldConnection, type Source } from "./held-connection.ts";

/** The limits of a {@link Stock}. */
export interface StockPolicy {
  readonly maxTotal: number;
  readonly maxPerHost: number;
  readonly maxWaiting: number;
  readonly waitTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number | undefined;
}

/** A connection that is lent. */
export interface Lease<One> extends Disposable {
  readonly connection: One;
  /** Gives it back. Idempotent. */
  release(): void;
  /** Gives it back as of no more use: it is closed, and nobody else gets it. */
  discard(): void;
}

/** What is held, and who waits. */
export interface StockStats {
  /** Connections that take a place: open, being opened, and being closed. */
  readonly connections: number;
  /** Of those, open ones that nobody uses. */
  readonly idle: number;
  readonly waiting: number;
}

interface Waiter {
  /** In order of arrival, whatever the source. */
  readonly ticket: number;
  readonly source: Source<Closable>;
  readonly served: PromiseWithResolvers<HeldConnection<Closable>>;
  held?: HeldConnection<Closable>;
}

type Obstacle = "source" | "host" | "total";

/**
 * Connections on hand, within limits in total and per host. Who cannot have one waits, and is served in the order of arrival among those who can be
 * served; one that nobody uses is closed when an older waiter needs its place.
 */
export class Stock {
  readonly #policy: StockPolicy;
  readonly #runtime: Runtime;
  readonly #log: Log | undefined;
  /** By the name of their source, as are the queues. */
  readonly #held = new Map<string, Set<HeldConnection<Closable>>>();
  readonly #perHost = new Map<string, number>();
  readonly #queues = new Map<string, Set<Waiter>>();
  #total = 0;
  #waiting = 0;
  #tickets = 0;
  #stopped = false;

  constructor(policy: StockPolicy, runtime: Runtime, log: Log | undefined) {
    this.#policy = policy;
    this.#runtime = runtime;
    this.#log = log;
  }

  /** The connections of a source. */
  of({ name }: Source<Closable>): readonly HeldConnection<Closable>[] {
    return [...(this.#held.get(name) ?? [])];
  }

  stats(): StockStats {
    const idle = this.#all().filter(({ idleSince }) => idleSince !== undefined).length;
    return { connections: this.#total, idle, waiting: this.#waiting };
  }

  /**
   * Lends a connection, opening one if need be.
   * @throws ParleyError `resource_exhausted`, `deadline_exceeded`, `cancelled`, `unavailable`, all `not-sent`; and what opening failed with
   */
  async acquire<One extends Closable>(source: Source<One>, options: OperationOptions): Promise<Lease<One>> {
    if (this.#stopped) throw closed();
    const { signal, timeoutMs = this.#policy.waitTimeoutMs } = options;
    if (signal?.aborted) throw withOutcome(cancelled(signal.reason, "not-sent"), "not-sent");
    const deadline = this.#runtime.now() + timeoutMs;
    // Opened by the source.
    const held = (await this.#turn(source, { signal, timeoutMs })) as HeldConnection<One>;
    try {
      const left = { signal, timeoutMs: Math.max(0, deadline - this.#runtime.now()) };
      return this.#lend(held, await within(held.ready, left, this.#runtime, `${source.name} was not connected`));
    } catch (thrown) {
      this.#leave(held, false);
      throw thrown;
    }
  }

  /** Lends nothing any more: who waits waits in vain. */
  stop(): void {
    this.#stopped = true;
    const waiters = [...this.#queues.values()].flatMap((queue) => [...queue]);
    this.#queues.clear();
    this.#waiting = 0;
    for (const { served } of waiters) served.reject(closed());
  }

  /** Closes the connections of a source, or all. Never rejects. */
  async retire(graceMs: number, source?: Source<Closable>): Promise<void> {
    await Promise.all((source ? this.of(source) : this.#all()).map((held) => held.retire(graceMs)));
  }

  #lend<One extends Closable>(held: HeldConnection<One>, connection: One): Lease<One> {
    let lent = true;
    const giveBack = (discard: boolean): void => {
      if (lent) this.#leave(held, discard);
      lent = false;
    };
    return {
      connection,
      release: () => giveBack(false),
      discard: () => giveBack(true),
      [Symbol.dispose]: () => giveBack(false),
    };
  }

  #leave(held: HeldConnection<Closable>, discard: boolean): void {
    held.leave(discard);
    this.#serve();
  }

  /** Resolves with a connection that the caller is entered at, and has to leave. */
  async #turn(source: Source<Closable>, options: OperationOptions): Promise<HeldConnection<Closable>> {
    // Whatever makes room serves those who wait at once: nobody is overtaken.
    const held = this.#take(source);
    if (held) return held;
    const { maxWaiting } = this.#policy;
    if (this.#waiting >= maxWaiting) throw exhausted(source, maxWaiting);
    const waiter: Waiter = { ticket: ++this.#tickets, source, served: Promise.withResolvers() };
    this.#queues.set(source.name, (this.#queues.get(source.name) ?? new Set()).add(waiter));
    this.#waiting++;
    this.#serve();
    try {
      return await within(waiter.served.promise, options, this.#runtime, `there was no connection for ${source.name}`);
    } catch (thrown) {
      // Its turn may have come at the same moment.
      if (waiter.held) this.#leave(waiter.held, false);
      throw thrown;
    } finally {
      this.#dequeue(waiter);
    }
  }

  #dequeue(waiter: Waiter): void {
    const { name } = waiter.source;
    const queue = this.#queues.get(name);
    if (!queue?.delete(waiter)) return;
    this.#waiting--;
    if (queue.size === 0) this.#queues.delete(name);
  }

  /** Gives all whose turn it can be what they wait for, the oldest first, and makes room for the others. */
  #serve(): void {
    const stuck = new Set<string>();
    const freed = this.#all().filter(({ closing }) => closing);
    for (let first = this.#oldest(stuck); first; first = this.#oldest(stuck)) {
      const held = this.#take(first.source);
      if (held) {
        first.held = held;
        this.#dequeue(first);
        first.served.resolve(held);
        continue;
      }
      stuck.add(first.source.name);
      const helps = this.#helping(first.source);
      const claimed = freed.findIndex(helps);
      if (claimed >= 0) freed.splice(claimed, 1);
      else this.#evict(helps);
    }
  }

  #oldest(stuck: ReadonlySet<string>): Waiter | undefined {
    let oldest: Waiter | undefined;
    for (const [name, [head]] of this.#queues) {
      if (head && !stuck.has(name) && head.ticket < (oldest?.ticket ?? Number.POSITIVE_INFINITY)) oldest = head;
    }
    return oldest;
  }

  /** Enters the caller at a connection of the source, the last one used first, so that the others may grow old; or at a new one. */
  #take(source: Source<Closable>): HeldConnection<Closable> | undefined {
    const all = this.of(source);
    for (const held of all) if (held.useless) void held.retire(0);
    const [best] = all
      .filter(({ available }) => available)
      .sort((one, other) => one.users - other.users || (other.idleSince ?? 0) - (one.idleSince ?? 0));
    const held = best ?? (this.#obstacle(source) ? undefined : this.#open(source));
    held?.enter();
    return held;
  }

  #obstacle(source: Source<Closable>): Obstacle | undefined {
    const { maxPerHost, maxTotal } = this.#policy;
    if ((this.#held.get(source.name)?.size ?? 0) >= source.maxConnections) return "source";
    if ((this.#perHost.get(source.host) ?? 0) >= maxPerHost) return "host";
    return this.#total >= maxTotal ? "total" : undefined;
  }

  /** Of which connections the place would help the source. */
  #helping(source: Source<Closable>): (held: HeldConnection<Closable>) => boolean {
    const obstacle = this.#obstacle(source);
    return (held) => {
      if (obstacle === "source") return held.source.name === source.name;
      return obstacle === "total" || held.source.host === source.host;
    };
  }

  /** Closes the one that nobody has used for longest. */
  #evict(helps: (held: HeldConnection<Closable>) => boolean): void {
    const [oldest] = this.#all()
      .filter((held) => held.idleSince !== undefined && helps(held))
      .sort((one, other) => (one.idleSince ?? 0) - (other.idleSince ?? 0));
    void oldest?.retire(oldest.source.graceMs);
  }

  #all(): HeldConnection<Closable>[] {
    return [...this.#held.values()].flatMap((held) => [...held]);
  }

  #open(source: Source<Closable>): HeldConnection<Closable> {
    const { connectTimeoutMs, idleTimeoutMs } = this.#policy;
    const held: HeldConnection<Closable> = new HeldConnection({
      source,
      connectTimeoutMs,
      idleTimeoutMs,
      runtime: this.#runtime,
      log: this.#log,
      gone: () => this.#gone(held),
    });
    this.#held.set(source.name, (this.#held.get(source.name) ?? new Set()).add(held));
    this.#perHost.set(source.host, (this.#perHost.get(source.host) ?? 0) + 1);
    this.#total++;
    return held;
  }

  #gone(held: HeldConnection<Closable>): void {
    const { name, host } = held.source;
    const left = this.#held.get(name);
    left?.delete(held);
    if (left?.size === 0) this.#held.delete(name);
    const others = (this.#perHost.get(host) ?? 1) - 1;
    if (others > 0) this.#perHost.set(host, others);
    else this.#perHost.delete(host);
    this.#total--;
    this.#serve();
  }
}

function exhausted({ name }: Source<Closable>, maxWaiting: number): ParleyError {
  const message = `there is no connection for ${name}, and ${maxWaiting} callers wait for one already`;
  return new TransportError("resource_exhausted", message, { outcome: "not-sent" });
}

function closed(): ParleyError {
  return new TransportError("unavailable", "the connections were closed", { outcome: "not-sent" });
}

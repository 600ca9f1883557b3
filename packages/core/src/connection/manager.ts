import { ParleyError } from "../call/error.ts";
import { countOption, durationOption } from "../resilience/option.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { OperationOptions } from "../runtime/within.ts";
import type { CloseOptions } from "../transport/transport.ts";
import type { Closable } from "./closable.ts";
import { type ConnectionHealth, checkHealth } from "./health-check.ts";
import type { Source } from "./held-connection.ts";
import { type MonitorOptions, watchHealth } from "./monitor.ts";
import { CLOSE_GRACE_MS, type PoolLimits, stockPolicy } from "./pool.ts";
import { type Lease, Stock, type StockStats } from "./stock.ts";

/** What a {@link ConnectionManager} takes. */
export interface ManagerOptions extends PoolLimits {
  /** How long a connection is kept that nobody uses, ms. @default until the manager closes */
  readonly idleTimeoutMs?: number | undefined;
}

/** What is registered under a name. */
export interface Registration<One extends Closable> {
  /** Makes a connection, when it is first wanted. The signal gives it up; then it must leave nothing open. A `connect` that it has is called. */
  open(options: { readonly signal: AbortSignal }): One | Promise<One>;
  /** To which the limit per host applies. @default the name */
  readonly host?: string | undefined;
  /** Names that this one needs: they are closed after it. */
  readonly dependsOn?: readonly string[] | undefined;
  /** Connections under this name at a time. @default 1 */
  readonly maxConnections?: number | undefined;
  /** Users of one connection at a time. @default any number */
  readonly maxUsers?: number | undefined;
  /** How long it may take to end what is under way when it is closed, ms. @default 5_000 */
  readonly graceMs?: number | undefined;
}

/** The connections of one name. */
export interface Registered<One extends Closable> {
  readonly name: string;
  /**
   * Does something with a connection, opening it if need be, and gives it back, whatever comes of it.
   * @throws ParleyError as {@link ConnectionPool.acquire} does, and what the work throws
   */
  use<Result>(work: (one: One) => Result | Promise<Result>, options?: OperationOptions): Promise<Result>;
  /** Lends a connection, opening it if need be. It has to be given back. */
  acquire(options?: OperationOptions): Promise<Lease<One>>;
}

/** How a connection of a name fares. A name without a connection has one entry, `idle`. */
export interface NamedHealth extends ConnectionHealth {
  readonly name: string;
  readonly host: string;
  /** Who has it on loan. */
  readonly users: number;
}

interface Entry {
  readonly source: Source<Closable>;
  readonly dependsOn: readonly string[];
  /** Why it could not be opened the last time. */
  lastError: ParleyError | undefined;
}

/**
 * Connections of any protocol by name: opened when they are first wanted, within limits, looked after, and closed in order.
 *
 * ```ts
 * await using manager = new ConnectionManager({ maxTotal: 20 });
 * const prices = manager.register("prices", { open: () => new WebSocketClient({ url: "ws://127.0.0.1:7070" }) });
 * await prices.use((client) => client.send({ subscribe: "EUR" }));
 * ```
 */
export class ConnectionManager implements AsyncDisposable {
  readonly #stock: Stock;
  readonly #runtime: Runtime;
  readonly #entries = new Map<string, Entry>();
  readonly #monitors = new Set<() => void>();
  #closing: Promise<void> | undefined;

  /** @throws ParleyError `invalid_argument` for numbers that make no sense */
  constructor(options: ManagerOptions = {}) {
    const { runtime = systemRuntime, log, idleTimeoutMs } = options;
    this.#runtime = runtime;
    this.#stock = new Stock(stockPolicy(options, idleTimeoutMs), runtime, log);
  }

  /**
   * Registers a connection under a name. Opens nothing.
   * @throws ParleyError `already_exists` for a name that is taken, `invalid_argument` for numbers that make no sense
   */
  register<One extends Closable>(name: string, registration: Registration<One>): Registered<One> {
    if (this.#entries.has(name))
      throw new ParleyError("already_exists", `${name} is registered already`, { outcome: "not-sent" });
    const { host = name, dependsOn = [], maxConnections = 1, maxUsers, graceMs = CLOSE_GRACE_MS } = registration;
    const source: Source<One> = {
      name,
      host,
      maxUsers: maxUsers === undefined ? Number.POSITIVE_INFINITY : countOption("maxUsers", maxUsers, 1),
      maxConnections: countOption("maxConnections", maxConnections, 1),
      graceMs: durationOption("graceMs", graceMs),
      open: (options) => registration.open(options),
      opened: (error) => {
        entry.lastError = error;
      },
    };
    const entry: Entry = { source, dependsOn, lastError: undefined };
    this.#entries.set(name, entry);
    const acquire = (options: OperationOptions = {}): Promise<Lease<One>> => this.#stock.acquire(source, options);
    return {
      name,
      acquire,
      async use(work, options) {
        const lease = await acquire(options);
        try {
          return await work(lease.connection);
        } finally {
          lease.release();
        }
      },
    };
  }

  /** The names, in the order of their registration. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  stats(): StockStats {
    return this.#stock.stats();
  }

  /** Asks all connections how they fare, each for no longer than `timeoutMs` (5,000 unless told). Opens none, and never rejects. */
  async healthCheck({ timeoutMs = 5_000 }: { readonly timeoutMs?: number } = {}): Promise<readonly NamedHealth[]> {
    const all = [...this.#entries.values()].map((entry) => this.#check(entry, timeoutMs));
    return (await Promise.all(all)).flat();
  }

  /** Looks at all connections at an interval, from now on; gives back what stops it. Closing the manager does too. */
  monitor(options: MonitorOptions): () => void {
    const stop = watchHealth((timeoutMs) => this.healthCheck({ timeoutMs }), options, this.#runtime);
    this.#monitors.add(stop);
    return () => {
      this.#monitors.delete(stop);
      stop();
    };
  }

  /**
   * Lends nothing any more, and closes one name after the other: first what needs others, else what was registered last. Each has its own grace, or
   * that given here: for its users to give it back, and for what is under way to end. Idempotent; never rejects; resolves when nothing is left
   * open.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#shutDown(options);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #check({ source, lastError }: Entry, timeoutMs: number): Promise<readonly NamedHealth[]> {
    const { name, host } = source;
    const held = this.#stock.of(source);
    if (held.length === 0)
      return [{ name, host, users: 0, state: "idle", healthy: lastError === undefined, lastError }];
    return Promise.all(
      held.map(async ({ connection, users, closing }) => {
        const state = closing ? "closing" : "connecting";
        const health = connection
          ? await checkHealth(connection, timeoutMs, this.#runtime)
          : { state, healthy: lastError === undefined, lastError };
        return { name, host, users, ...health };
      }),
    );
  }

  async #shutDown({ graceMs }: CloseOptions): Promise<void> {
    for (const stop of this.#monitors) stop();
    this.#monitors.clear();
    this.#stock.stop();
    for (const { source } of this.#inOrder()) await this.#stock.retire(graceMs ?? source.graceMs, source);
  }

  /** The last registered first, but each after all that need it. Of names that need each other the last registered is first. */
  #inOrder(): readonly Entry[] {
    const backwards = [...this.#entries.values()].reverse();
    const ordered = new Set<Entry>();
    const seen = new Set<Entry>();
    const visit = (entry: Entry): void => {
      if (seen.has(entry)) return;
      seen.add(entry);
      for (const other of backwards) if (other.dependsOn.includes(entry.source.name)) visit(other);
      ordered.add(entry);
    };
    for (const entry of backwards) visit(entry);
    return [...ordered];
  }
}

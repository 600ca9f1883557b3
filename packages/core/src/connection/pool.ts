import type { Log } from "../call/log.ts";
import { countOption, durationOption } from "../resilience/option.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { OperationOptions } from "../runtime/within.ts";
import type { CloseOptions } from "../transport/transport.ts";
import type { Closable } from "./closable.ts";
import type { Source } from "./held-connection.ts";
import { type Lease, Stock, type StockPolicy, type StockStats } from "./stock.ts";

/** What a connection that gives way may take to end what is under way, ms. */
export const CLOSE_GRACE_MS = 5_000;

/** Limits of a {@link ConnectionPool} or a {@link ConnectionManager}. */
export interface PoolLimits {
  /** Connections in all: open, being opened and being closed. @default 256 */
  readonly maxTotal?: number | undefined;
  /** Connections to one host. @default 32 */
  readonly maxPerHost?: number | undefined;
  /** Callers that may wait for a connection; one more fails with `resource_exhausted`, `not-sent`. @default 1_024 */
  readonly maxWaiting?: number | undefined;
  /** How long a caller waits for a connection, its opening included, ms, unless it says otherwise. @default 10_000 */
  readonly waitTimeoutMs?: number | undefined;
  /** Time to open one, ms. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a {@link ConnectionPool} takes. */
export interface PoolOptions<One extends Closable> extends PoolLimits {
  /** Makes a connection to a host. The signal gives it up; then it must leave nothing open. A `connect` that it has is called. */
  open(host: string, options: { readonly signal: AbortSignal }): One | Promise<One>;
  /** How long a connection is kept that nobody uses, ms. @default 60_000 */
  readonly idleTimeoutMs?: number | undefined;
  /** Users of one connection at a time. @default 1 */
  readonly maxUsers?: number | undefined;
}

/**
 * Connections of one kind to many hosts, lent and taken back.
 *
 * - Limits in total and per host are never exceeded: a connection counts until it has closed.
 * - Who cannot have one waits, served in the order of arrival among those who can be; one that nobody uses gives way to an older waiter for another
 *   host.
 * - One that has closed by itself (`state`), or was given back as of no more use, is lent to nobody.
 *
 * ```ts
 * await using pool = new ConnectionPool({ open: (host) => new HttpClient({ baseUrl: `http://${host}` }), maxPerHost: 5 });
 * const answer = await pool.use("127.0.0.1:8080", (client) => client.get("/"));
 * ```
 */
export class ConnectionPool<One extends Closable> implements AsyncDisposable {
  readonly #options: PoolOptions<One>;
  readonly #maxUsers: number;
  readonly #stock: Stock;
  #closing: Promise<void> | undefined;

  /** @throws ParleyError `invalid_argument` for numbers that make no sense */
  constructor(options: PoolOptions<One>) {
    const { idleTimeoutMs = 60_000, maxUsers = 1, runtime = systemRuntime, log } = options;
    this.#options = options;
    this.#maxUsers = countOption("maxUsers", maxUsers, 1);
    this.#stock = new Stock(stockPolicy(options, idleTimeoutMs), runtime, log);
  }

  /**
   * Does something with a connection to a host, and gives it back, whatever comes of it.
   * @throws ParleyError as {@link acquire} does, and what the work throws
   */
  async use<Result>(
    host: string,
    work: (one: One) => Result | Promise<Result>,
    options: OperationOptions = {},
  ): Promise<Result> {
    const lease = await this.acquire(host, options);
    try {
      return await work(lease.connection);
    } finally {
      lease.release();
    }
  }

  /**
   * Lends a connection to a host, which has to be given back.
   * @throws ParleyError, all `not-sent`: `resource_exhausted` when too many wait, `deadline_exceeded`, `cancelled`, `unavailable` when the pool is
   * closed; and what opening it failed with
   */
  async acquire(host: string, options: OperationOptions = {}): Promise<Lease<One>> {
    return await this.#stock.acquire(this.#source(host), options);
  }

  stats(): StockStats {
    return this.#stock.stats();
  }

  /**
   * Lends nothing any more; those who have a connection have the grace (5,000 ms unless told) to give it back, then it is closed. Idempotent;
   * resolves when nothing is left open.
   */
  close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    this.#stock.stop();
    this.#closing ??= this.#stock.retire(graceMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #source(host: string): Source<One> {
    return {
      name: host,
      host,
      maxUsers: this.#maxUsers,
      maxConnections: Number.POSITIVE_INFINITY,
      graceMs: CLOSE_GRACE_MS,
      open: (options) => this.#options.open(host, options),
    };
  }
}

/**
 * Completes the limits.
 * @throws ParleyError `invalid_argument` for numbers that make no sense
 */
export function stockPolicy(limits: PoolLimits, idleTimeoutMs: number | undefined): StockPolicy {
  const { maxTotal = 256, maxPerHost = 32, maxWaiting = 1_024 } = limits;
  const { waitTimeoutMs = 10_000, connectTimeoutMs = 10_000 } = limits;
  return {
    maxTotal: countOption("maxTotal", maxTotal, 1),
    maxPerHost: countOption("maxPerHost", maxPerHost, 1),
    maxWaiting: countOption("maxWaiting", maxWaiting, 0),
    waitTimeoutMs: durationOption("waitTimeoutMs", waitTimeoutMs),
    connectTimeoutMs: durationOption("connectTimeoutMs", connectTimeoutMs),
    idleTimeoutMs: idleTimeoutMs === undefined ? undefined : durationOption("idleTimeoutMs", idleTimeoutMs),
  };
}

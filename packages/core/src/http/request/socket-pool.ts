import {
  type AbortListener,
  type Call,
  type DeadlineListener,
  type ParleyError,
  type Runtime,
  TransportError,
  toParleyError,
  type WatchedDeadline,
  withOutcome,
} from "../../transport/index.ts";
import type { HttpSocket } from "../client/socket.ts";
import { Sockets } from "../client/sockets.ts";

/** How many sockets there may be, and who waits for them. */
export interface PoolLimits {
  readonly maxPerOrigin: number;
  readonly maxTotal: number;
  /** Requests that may wait for a socket; one more is refused. */
  readonly maxWaiting: number;
  /** How long a request waits at most. */
  readonly waitMs: number;
}

/** What a pool of sockets has at this moment. */
export interface PoolStats {
  /** Requests under way, their answers being read included. */
  readonly busy: number;
  /** Sockets kept for the next request. */
  readonly idle: number;
  /** Requests that wait for a socket. */
  readonly waiting: number;
}

/** A socket for one request, until it is given back or dropped. */
export interface Lease {
  readonly socket: HttpSocket;
  /** The next request may have it. */
  give(): void;
  /** It is closed. */
  drop(): void;
}

/** What belongs to one origin. */
interface Lot {
  readonly sockets: Sockets;
  /** In the order in which they came. */
  readonly waiters: Set<Waiter>;
}

/**
 * The sockets to several origins, within a limit for each and one for all. Who waits gets one in the order of asking, those passed over whose
 * origin has no room; a socket that is idle makes room for another origin.
 */
export class SocketPool {
  readonly #open: (origin: string) => HttpSocket;
  readonly #limits: PoolLimits;
  readonly #runtime: Runtime;
  /** Those that have sockets or waiters, and no others. */
  readonly #lots = new Map<string, Lot>();
  #size = 0;
  #waiting = 0;
  #asked = 0;
  #closed = false;

  constructor(open: (origin: string) => HttpSocket, limits: PoolLimits, runtime: Runtime) {
    this.#open = open;
    this.#limits = limits;
    this.#runtime = runtime;
  }

  get stats(): PoolStats {
    let idle = 0;
    for (const { sockets } of this.#lots.values()) idle += sockets.free;
    return { busy: this.#size - idle, idle, waiting: this.#waiting };
  }

  /**
   * Resolves with a socket to the origin, when there is one.
   * @throws TransportError `resource_exhausted`, `not-sent`: too many wait, or for too long. Why the call was aborted.
   */
  async take(origin: string, call: Call): Promise<Lease> {
    const lot = this.#lotOf(origin);
    if (this.#hasRoom(lot)) return this.#lease(origin, lot);
    const { maxWaiting, waitMs } = this.#limits;
    if (this.#waiting >= maxWaiting) {
      this.#tidy(origin, lot);
      throw exhausted(`${maxWaiting} requests wait for a connection already; one to ${origin} is refused`);
    }
    return new Promise((resolve, reject) => {
      const left = (): void => {
        lot.waiters.delete(waiter);
        this.#waiting--;
        this.#tidy(origin, lot);
      };
      const waiter = new Waiter(call, ++this.#asked, { origin, waitMs, runtime: this.#runtime, resolve, reject, left });
      lot.waiters.add(waiter);
      this.#waiting++;
      waiter.wait();
    });
  }

  /** Closes all sockets, at once. Nothing may wait any more. */
  async destroy(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#lots.values()].map(({ sockets }) => sockets.destroy());
    for (const [origin, lot] of this.#lots) while (lot.sockets.free > 0) this.#shed(origin, lot);
    await Promise.all(closing);
  }

  #lotOf(origin: string): Lot {
    let lot = this.#lots.get(origin);
    if (!lot) {
      lot = { sockets: new Sockets(() => this.#open(origin)), waiters: new Set() };
      this.#lots.set(origin, lot);
    }
    return lot;
  }

  #hasRoom({ sockets }: Lot): boolean {
    if (sockets.free > 0) return true;
    if (sockets.size >= this.#limits.maxPerOrigin) return false;
    return this.#size < this.#limits.maxTotal || this.#idleLot() !== undefined;
  }

  #idleLot(): [string, Lot] | undefined {
    for (const entry of this.#lots) if (entry[1].sockets.free > 0) return entry;
    return undefined;
  }

  /** Takes one where there is room. @throws ParleyError when none can be made */
  #lease(origin: string, lot: Lot): Lease {
    const { sockets } = lot;
    const isNew = sockets.free === 0;
    const idle = isNew && this.#size >= this.#limits.maxTotal ? this.#idleLot() : undefined;
    if (idle) this.#shed(...idle);
    const socket = this.#taken(origin, lot);
    if (isNew) this.#size++;
    let held = true;
    const back = (keep: boolean): void => {
      if (!held) return;
      held = false;
      if (keep) sockets.give(socket);
      else {
        sockets.drop(socket);
        this.#size--;
      }
      this.#serve();
      this.#tidy(origin, lot);
    };
    return { socket, give: () => back(!this.#closed), drop: () => back(false) };
  }

  #taken(origin: string, lot: Lot): HttpSocket {
    try {
      return lot.sockets.take();
    } catch (thrown) {
      this.#tidy(origin, lot);
      throw toParleyError(thrown);
    }
  }

  /** Gives what has come free to who has waited for longest. */
  #serve(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      const [origin, waiter] = next;
      waiter.serve(() => this.#lease(origin, this.#lotOf(origin)));
    }
  }

  #next(): [string, Waiter] | undefined {
    if (this.#waiting === 0) return undefined;
    let best: [string, Waiter] | undefined;
    for (const [origin, lot] of this.#lots) {
      const [first] = lot.waiters;
      if (first && (!best || first.number < best[1].number) && this.#hasRoom(lot)) best = [origin, first];
    }
    return best;
  }

  #shed(origin: string, lot: Lot): void {
    lot.sockets.shed();
    this.#size--;
    this.#tidy(origin, lot);
  }

  #tidy(origin: string, { sockets, waiters }: Lot): void {
    if (sockets.size === 0 && waiters.size === 0) this.#lots.delete(origin);
  }
}

interface WaiterInit {
  readonly origin: string;
  readonly waitMs: number;
  readonly runtime: Runtime;
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: ParleyError) => void;
  /** It waits no longer. */
  readonly left: () => void;
}

/** A request that waits for a socket. */
class Waiter implements AbortListener, DeadlineListener {
  /** Grows with each request. */
  readonly number: number;
  readonly #call: Call;
  readonly #init: WaiterInit;
  #watched: WatchedDeadline | undefined;
  #waits = true;

  constructor(call: Call, number: number, init: WaiterInit) {
    this.number = number;
    this.#call = call;
    this.#init = init;
  }

  wait(): void {
    const { runtime, waitMs } = this.#init;
    this.#watched = runtime.deadlines.add(runtime.now() + waitMs, this);
    this.#call.onAbort(this);
  }

  #leave(): void {
    if (!this.#waits) return;
    this.#waits = false;
    if (this.#watched) this.#init.runtime.deadlines.remove(this.#watched);
    this.#call.offAbort(this);
    this.#init.left();
  }

  /** Its turn has come. */
  serve(lease: () => Lease): void {
    this.#leave();
    try {
      this.#init.resolve(lease());
    } catch (thrown) {
      this.#init.reject(toParleyError(thrown));
    }
  }

  callAborted(reason: ParleyError): void {
    this.#leave();
    this.#init.reject(withOutcome(reason, "not-sent"));
  }

  onDeadline(): void {
    const { origin, waitMs } = this.#init;
    this.#leave();
    this.#init.reject(
      exhausted(`no connection to ${origin} came free within ${waitMs} ms; all that there may be are in use`),
    );
  }
}

function exhausted(message: string): TransportError {
  return new TransportError("resource_exhausted", message, { outcome: "not-sent" });
}

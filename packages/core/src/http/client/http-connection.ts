import {
  type Call,
  type CloseOptions,
  type Connection,
  type ConnectionState,
  type ConnectionStats,
  createCall,
  createEnvelope,
  type Envelope,
  type Hello,
  type Limits,
  ParleyError,
  PING,
  type Presenter,
  type Renewal,
  type Reply,
  type Runtime,
  readHello,
  shortId,
  TransportError,
} from "../../transport/index.ts";
import { Roster } from "../wire/roster.ts";
import type { ClientWire } from "./client-wire.ts";
import type { Link, OpenCall } from "./link.ts";
import { Liveness } from "./liveness.ts";
import { OutgoingCall } from "./outgoing-call.ts";
import type { Sockets } from "./sockets.ts";

/** What a connection by HTTP is made from. */
export interface HttpConnectionInit {
  readonly sockets: Sockets;
  readonly url: URL;
  readonly base: string;
  readonly headers: readonly string[];
  /** Shows with every request who calls. */
  readonly presenter: Presenter | undefined;
  readonly limits: Limits;
  readonly heartbeatMs: number;
  readonly runtime: Runtime;
  /** Makes what is particular to the wire. */
  readonly wire: (connection: HttpConnection) => ClientWire;
}

/** Time for the last requests to leave when the connection closes. */
const FLUSH_MS = 500;

/**
 * A way to one address. HTTP has no connection of its own: there are sockets, as many as calls are under way, and a peer that is gone shows
 * only when it is called. So this stays open until it is closed.
 */
export class HttpConnection implements Connection, Link {
  readonly sockets: Sockets;
  readonly address: string;
  readonly base: string;
  readonly runtime: Runtime;
  readonly wire: ClientWire;
  readonly source: string;
  readonly limits: Limits;
  readonly presenter: Presenter | undefined;
  /** Out of sight of whoever prints the connection: credentials are among them. */
  readonly #headers: readonly string[];
  readonly #heartbeatMs: number;
  readonly #calls = new Roster<OpenCall>();
  /** Those whose sockets are in use: what is given up while its socket is being opened stays there until it is. */
  #requests = 0;
  #lateMessages = 0;
  readonly #closed = Promise.withResolvers<undefined>();
  #hello: Hello | undefined;
  #state: ConnectionState = "open";
  #idle: (() => void) | undefined;
  #quiet: (() => void) | undefined;
  readonly #liveness: Liveness;

  constructor({ sockets, url, base, headers, presenter, limits, heartbeatMs, runtime, wire }: HttpConnectionInit) {
    this.sockets = sockets;
    this.address = url.host + base;
    this.base = base;
    this.#headers = headers;
    this.presenter = presenter;
    this.limits = limits;
    this.runtime = runtime;
    this.source = `/${shortId(runtime)}`;
    this.#heartbeatMs = heartbeatMs;
    const { address } = this;
    this.#liveness = new Liveness({ calls: this.#calls, heartbeatMs, runtime, address, ping: () => this.ping() });
    this.wire = wire(this);
  }

  readonly call = (call: Call): Promise<Reply> => {
    if (this.#state !== "open") return Promise.reject(this.#notOpen());
    const maxCalls = Math.min(this.limits.maxCalls, this.peerLimits?.maxCalls ?? this.limits.maxCalls);
    const calls = this.#calls.size + (this.wire.waiting ?? 0);
    if (Math.max(this.#requests, calls) >= maxCalls) {
      return Promise.reject(
        new TransportError("resource_exhausted", `at most ${maxCalls} calls are made to ${this.address} at a time`, {
          outcome: "not-sent",
        }),
      );
    }
    return this.presenter ? this.presenter.call(call, () => this.#make(call)) : this.#make(call);
  };

  get hello(): Hello {
    if (!this.#hello) throw new ParleyError("failed_precondition", "the handshake is not done yet");
    return this.#hello;
  }

  get headers(): readonly string[] {
    return this.#headers;
  }

  get peerLimits(): Limits | undefined {
    return this.#hello?.limits;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get closed(): Promise<undefined> {
    return this.#closed.promise;
  }

  get renewal(): Renewal | undefined {
    return this.presenter?.renewal("call");
  }

  stats(): ConnectionStats {
    return { openCalls: this.#calls.size, lateMessages: this.#lateMessages, refusedMessages: 0 };
  }

  get closing(): boolean {
    return this.#state !== "open";
  }

  /** The handshake is done: the peer said this of itself. */
  async meet(data: unknown): Promise<void> {
    this.#hello = readHello(data);
    await this.wire.meet?.(this.#hello, data);
  }

  /** Makes a call without asking whether there is room. @param uplink whether the caller's items go by requests of their own. */
  start(call: Call, uplink?: boolean): Promise<Reply> {
    return new Promise((resolve, reject) => {
      new OutgoingCall(this, call, { resolve, reject }, uplink).start();
    });
  }

  /** Makes a call after something else, unless the connection has closed by then. */
  async startAfter(ready: Promise<boolean>, call: Call): Promise<Reply> {
    const uplink = await ready;
    if (this.#state !== "open") throw this.#notOpen();
    return this.start(call, uplink);
  }

  /** Makes a request of its own. */
  async request(
    type: string,
    options: { readonly data?: unknown; readonly timeoutMs?: number } = {},
  ): Promise<Envelope> {
    const { data, timeoutMs } = options;
    const { runtime, source } = this;
    const message = createEnvelope({ kind: "request", type, source, data }, runtime);
    const deadline = timeoutMs === undefined ? undefined : runtime.now() + timeoutMs;
    const call = createCall({ kind: "request", message, deadline }, runtime);
    try {
      const { message: answer } = await this.start(call);
      return answer as Envelope;
    } finally {
      call.settle();
    }
  }

  async ping(): Promise<{ readonly roundTripMs: number }> {
    if (this.#state === "closed") throw this.#notOpen();
    const start = this.runtime.now();
    await this.request(PING, { timeoutMs: this.#heartbeatMs });
    return { roundTripMs: this.runtime.now() - start };
  }

  async close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    if (this.#state === "open") await this.#drain(graceMs);
    await this.#closed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  heard(): void {
    this.#liveness.heard();
  }

  requestBegan(): void {
    this.#requests++;
  }

  late(): void {
    this.#lateMessages++;
  }

  began(call: OpenCall): void {
    this.#calls.add(call);
    this.#liveness.watch();
  }

  ended(): void {
    if (--this.#requests === 0) this.#quiet?.();
  }

  settled(call: OpenCall): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0) return;
    this.#idle?.();
    this.#liveness.rest();
  }

  #notOpen(): TransportError {
    return new TransportError("unavailable", `the connection to ${this.address} is closed`, { outcome: "not-sent" });
  }

  async #drain(graceMs: number): Promise<void> {
    this.#state = "draining";
    const end = this.runtime.now() + graceMs;
    if (this.#calls.size > 0) {
      await this.#within(graceMs, (done) => {
        this.#idle = done;
      });
    }
    await this.wire.close?.({ graceMs: Math.max(0, end - this.runtime.now()) });
    const reason = new TransportError(
      "unavailable",
      `the connection to ${this.address} was closed before the call was done`,
    );
    for (const call of this.#calls) call.lost(reason);
    if (this.wire.resume && this.#requests > 0) {
      await this.#within(FLUSH_MS, (done) => {
        this.#quiet = done;
      });
    }
    await this.sockets.destroy();
    this.#state = "closed";
    this.#closed.resolve(undefined);
  }

  #make(call: Call): Promise<Reply> {
    return this.wire.open?.(call) ?? this.start(call);
  }

  /** Resolves when `done` was called, or the time is up. */
  #within(ms: number, wait: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancelTimer = this.runtime.setTimer(resolve, ms);
      wait(() => {
        cancelTimer();
        resolve();
      });
    });
  }
}

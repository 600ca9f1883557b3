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
  type Reply,
  type Runtime,
  shortId,
  TransportError,
} from "@parley/core/transport";
import { Roster } from "../wire/roster.ts";
import { Batcher } from "./batcher.ts";
import { Duplex } from "./duplex.ts";
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
  readonly limits: Limits;
  readonly heartbeatMs: number;
  readonly runtime: Runtime;
}

/**
 * A way to one address. HTTP has no connection of its own: there are sockets, as many as calls are under way, and a peer that is gone shows
 * only when it is called. So this stays open until it is closed.
 */
export class HttpConnection implements Connection, Link {
  readonly sockets: Sockets;
  readonly address: string;
  readonly base: string;
  readonly headers: readonly string[];
  readonly runtime: Runtime;
  readonly source: string;
  readonly limits: Limits;
  readonly #heartbeatMs: number;
  readonly #calls = new Roster<OpenCall>();
  /** Those whose sockets are in use: what is given up while its socket is being opened stays there until it is. */
  #requests = 0;
  #lateMessages = 0;
  readonly #closed = Promise.withResolvers<undefined>();
  #hello: Hello | undefined;
  #batcher: Batcher | undefined;
  #state: ConnectionState = "open";
  #idle: (() => void) | undefined;
  readonly #liveness: Liveness;
  readonly #duplex: Duplex;

  constructor({ sockets, url, base, headers, limits, heartbeatMs, runtime }: HttpConnectionInit) {
    this.sockets = sockets;
    this.address = url.host + base;
    this.base = base;
    this.headers = headers;
    this.limits = limits;
    this.runtime = runtime;
    this.source = `/${shortId(runtime)}`;
    this.#heartbeatMs = heartbeatMs;
    const { address, source } = this;
    this.#liveness = new Liveness({ calls: this.#calls, heartbeatMs, runtime, address, ping: () => this.ping() });
    this.#duplex = new Duplex({ invoke: (call) => this.start(call), runtime, source, address });
  }

  readonly call = (call: Call): Promise<Reply> => {
    if (this.#state !== "open") return Promise.reject(this.#notOpen());
    const maxCalls = Math.min(this.limits.maxCalls, this.peerLimits?.maxCalls ?? this.limits.maxCalls);
    const calls = this.#calls.size + (this.#batcher?.waiting ?? 0);
    if (Math.max(this.#requests, calls) >= maxCalls) {
      return Promise.reject(
        new TransportError("resource_exhausted", `at most ${maxCalls} calls are made to ${this.address} at a time`, {
          outcome: "not-sent",
        }),
      );
    }
    switch (call.kind) {
      case "bidi-stream":
        return this.#openDuplex(call);
      case "request":
      case "notify":
      case "publish":
        return this.#batcher ? this.#batcher.add(call) : this.start(call);
      default:
        return this.start(call);
    }
  };

  get hello(): Hello {
    if (!this.#hello) throw new ParleyError("failed_precondition", "the handshake is not done yet");
    return this.#hello;
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

  stats(): ConnectionStats {
    return { openCalls: this.#calls.size, lateMessages: this.#lateMessages, refusedMessages: 0 };
  }

  /** The handshake is done. @param batchCalls how many messages the peer takes in one request; none, if they are to go one by one. */
  meet(hello: Hello, batchCalls: number | undefined): void {
    this.#hello = hello;
    if (batchCalls !== undefined) this.#batcher = new Batcher(this, batchCalls);
  }

  /** Makes a call without asking whether there is room. */
  start(call: Call): Promise<Reply> {
    return new Promise((resolve, reject) => {
      new OutgoingCall(this, call, { resolve, reject }).start();
    });
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
    this.#requests--;
  }

  settled(call: OpenCall): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0) return;
    this.#idle?.();
    this.#liveness.rest();
  }

  async #openDuplex(call: Call): Promise<Reply> {
    await this.#duplex.free(call);
    if (this.#state !== "open") throw this.#notOpen();
    return this.start(call);
  }

  #notOpen(): TransportError {
    return new TransportError("unavailable", `the connection to ${this.address} is closed`, { outcome: "not-sent" });
  }

  async #drain(graceMs: number): Promise<void> {
    this.#state = "draining";
    if (this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        const cancelTimer = this.runtime.setTimer(resolve, graceMs);
        this.#idle = () => {
          cancelTimer();
          resolve();
        };
      });
    }
    const reason = new TransportError(
      "unavailable",
      `the connection to ${this.address} was closed before the call was done`,
    );
    for (const call of this.#calls) call.lost(reason);
    await this.sockets.destroy();
    this.#state = "closed";
    this.#closed.resolve(undefined);
  }
}

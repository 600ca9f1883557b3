import type { Metadata } from "@grpc/grpc-js";
import {
  type Call,
  type CloseOptions,
  type Connection,
  type ConnectionState,
  type ConnectionStats,
  type Credential,
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
  shortId,
  TransportError,
  withOutcome,
} from "@parley/core/transport";
import { CallSet } from "./call-set.ts";
import type { Line } from "./line.ts";
import type { Link } from "./link.ts";
import { showing } from "./metadata-of.ts";
import { NativeCall } from "./native-call.ts";
import { parleyMethod } from "./parley-method.ts";

/** What a {@link NativeConnection} is made from. */
export interface NativeConnectionInit {
  /** The connection's own from now on. */
  readonly line: Line;
  readonly metadata: Metadata;
  /** Shows with every call who calls. */
  readonly presenter: Presenter | undefined;
  readonly address: string;
  readonly limits: Limits;
  readonly heartbeatMs: number;
  readonly runtime: Runtime;
}

/**
 * A way to one address whose calls are gRPC calls of their own. gRPC connects anew when it has to, so this stays open until it is closed; a peer that
 * is gone shows when it is called.
 */
export class NativeConnection implements Connection, Link {
  readonly line: Line;
  readonly calls: CallSet = new CallSet();
  readonly address: string;
  readonly runtime: Runtime;
  /** Out of sight of whoever prints the connection: credentials are in it. */
  readonly #metadata: Metadata;
  readonly #presenter: Presenter | undefined;
  readonly #limits: Limits;
  readonly #heartbeatMs: number;
  readonly #source: string;
  #shown: { readonly credential: Credential; readonly metadata: Metadata } | undefined;
  readonly #closed = Promise.withResolvers<undefined>();
  #hello: Hello | undefined;
  #state: ConnectionState = "open";

  constructor({ line, metadata, presenter, address, limits, heartbeatMs, runtime }: NativeConnectionInit) {
    this.line = line;
    this.address = address;
    this.runtime = runtime;
    this.#metadata = metadata;
    this.#presenter = presenter;
    this.#limits = limits;
    this.#heartbeatMs = heartbeatMs;
    this.#source = `/${shortId(runtime)}`;
  }

  readonly call = (call: Call): Promise<Reply> => {
    try {
      if (this.#state !== "open") throw this.#notOpen();
      this.calls.requireRoom(this.#peerLimits.maxCalls, this.address);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    return this.#presenter ? this.#presenter.call(call, () => this.#start(call)) : this.#start(call);
  };

  get hello(): Hello {
    if (!this.#hello) throw new ParleyError("failed_precondition", "the handshake is not done yet");
    return this.#hello;
  }

  get maxSendBytes(): number {
    return this.#peerLimits.maxMessageBytes;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get closed(): Promise<undefined> {
    return this.#closed.promise;
  }

  get renewal(): Renewal | undefined {
    return this.#presenter?.renewal("call");
  }

  stats(): ConnectionStats {
    return { openCalls: this.calls.size, lateMessages: 0, refusedMessages: 0 };
  }

  /** The handshake is done. */
  meet(hello: Hello): void {
    this.#hello = hello;
  }

  /** Makes a request of its own. */
  async request(type: string, timeoutMs: number, data?: unknown): Promise<Envelope> {
    const { runtime } = this;
    const message = createEnvelope({ kind: "request", type, source: this.#source, data }, runtime);
    const call = createCall({ kind: "request", message, deadline: runtime.now() + timeoutMs }, runtime);
    try {
      const { message: answer } = await this.#start(call);
      return answer as Envelope;
    } finally {
      call.settle();
    }
  }

  async ping(): Promise<{ readonly roundTripMs: number }> {
    if (this.#state === "closed") throw this.#notOpen();
    const start = this.runtime.now();
    try {
      await this.request(PING, this.#heartbeatMs);
    } catch (thrown) {
      // A peer that knows no such operation is alive all the same.
      if (!(thrown instanceof ParleyError) || thrown.outcome !== "rejected") throw thrown;
    }
    return { roundTripMs: this.runtime.now() - start };
  }

  async close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    if (this.#state === "open") await this.#drain(graceMs);
    await this.#closed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What the peer bears; until it has said so, what this side does. */
  get #peerLimits(): Limits {
    return this.#hello?.limits ?? this.#limits;
  }

  #start(call: Call): Promise<Reply> {
    const credential = this.#presenter?.present();
    if (credential instanceof Promise) return this.#startAfter(credential, call);
    return this.#startWith(call, credential ? this.#showing(credential) : this.#metadata);
  }

  #startWith(call: Call, metadata: Metadata): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const method = parleyMethod(call, metadata, this.runtime);
      new NativeCall(this, call, method, { resolve, reject }).start();
    });
  }

  /** Starts a call once there is something to show, unless it is over by then. */
  #startAfter(credential: Promise<Credential>, call: Call): Promise<Reply> {
    return new Promise((resolve, reject) => {
      let over = false;
      const lost = (reason: ParleyError): void => {
        over = true;
        this.calls.settled(waiting);
        reject(withOutcome(reason, "not-sent"));
      };
      const waiting = { lost, callAborted: lost };
      this.calls.began(waiting);
      call.onAbort(waiting);
      credential
        .then((late) => {
          if (!over) resolve(this.#startWith(call, this.#showing(late)));
        })
        .catch(reject)
        .finally(() => {
          call.offAbort(waiting);
          this.calls.settled(waiting);
        });
    });
  }

  /** The metadata with who calls; made anew when that has changed. */
  #showing(credential: Credential): Metadata {
    if (this.#shown?.credential !== credential)
      this.#shown = { credential, metadata: showing(this.#metadata, credential) };
    return this.#shown.metadata;
  }

  #notOpen(): TransportError {
    return new TransportError("unavailable", `the connection to ${this.address} is closed`, { outcome: "not-sent" });
  }

  async #drain(graceMs: number): Promise<void> {
    this.#state = "draining";
    await this.calls.drain(graceMs, this.address, this.runtime);
    this.line.close();
    this.#state = "closed";
    this.#closed.resolve(undefined);
  }
}

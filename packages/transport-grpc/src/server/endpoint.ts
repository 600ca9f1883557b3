import {
  type CloseOptions,
  type ConnectionStats,
  type Handler,
  type Limits,
  type Log,
  type ParleyError,
  type Peer,
  type Runtime,
  shortId,
  TransportError,
} from "@parley/core/transport";
import { FOREIGN_TIMEOUT_MS, HEARTBEAT_MS } from "../options.ts";
import type { Desk, OpenCall } from "./desk.ts";
import { withOwnOperations } from "./own-operations.ts";
import type { Peers } from "./peers.ts";

/** Whoever is turned away for lack of room may come again after so long. */
const RETRY_AFTER_MS = 1_000;

/** What an {@link Endpoint} is made from. */
export interface EndpointInit {
  readonly handler: Handler;
  readonly peers: Peers;
  readonly limits: Limits;
  readonly heartbeatMs?: number | undefined;
  readonly foreignTimeoutMs?: number | undefined;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

/** Where native calls arrive. */
export class Endpoint implements Desk {
  readonly handler: Handler;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  readonly limits: Limits;
  readonly source: string;
  readonly foreignTimeoutMs: number;
  readonly #peers: Peers;
  readonly #calls = new Set<OpenCall>();
  readonly #callsByPeer = new Map<string, number>();
  #refused = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(init: EndpointInit) {
    const {
      handler,
      peers,
      limits,
      heartbeatMs = HEARTBEAT_MS,
      foreignTimeoutMs = FOREIGN_TIMEOUT_MS,
      runtime,
      log,
    } = init;
    this.runtime = runtime;
    this.log = log;
    this.limits = limits;
    this.foreignTimeoutMs = foreignTimeoutMs;
    this.source = `/${shortId(runtime)}`;
    this.handler = withOwnOperations(handler, { limits, batchItems: 1, heartbeatMs }, this.source);
    this.#peers = peers;
  }

  peerOf(name: string): Peer {
    return this.#peers.find(name);
  }

  fullness(peer: string): ParleyError | undefined {
    if (this.#closing) {
      return new TransportError("unavailable", "the agent is closing and takes no new calls", { outcome: "not-sent" });
    }
    const { maxCalls } = this.limits;
    if ((this.#callsByPeer.get(peer) ?? 0) < maxCalls) return undefined;
    return new TransportError(
      "resource_exhausted",
      `at most ${maxCalls} calls are answered at a time on one connection`,
      {
        outcome: "not-sent",
        retryAfterMs: RETRY_AFTER_MS,
      },
    );
  }

  refused(): void {
    this.#refused++;
  }

  began(call: OpenCall): void {
    this.#calls.add(call);
    this.#callsByPeer.set(call.peer, (this.#callsByPeer.get(call.peer) ?? 0) + 1);
  }

  ended(call: OpenCall): void {
    if (!this.#calls.delete(call)) return;
    const left = (this.#callsByPeer.get(call.peer) ?? 1) - 1;
    if (left > 0) this.#callsByPeer.set(call.peer, left);
    else this.#callsByPeer.delete(call.peer);
    if (this.#calls.size === 0) this.#idle?.();
  }

  stats(): ConnectionStats {
    return { openCalls: this.#calls.size, lateMessages: 0, refusedMessages: this.#refused };
  }

  /** Refuses new calls, lets those under way end within the grace, then fails them. Resolves when none is left. */
  close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      const cancelTimer = this.runtime.setTimer(() => this.#abandon(), graceMs);
      this.#idle = () => {
        cancelTimer();
        resolve();
      };
      // Subscriptions have no end of their own.
      this.#abandon((call) => call.endless);
      if (this.#calls.size === 0) this.#idle();
    });
    return this.#closing;
  }

  #abandon(which: (call: OpenCall) => boolean = () => true): void {
    const reason = new TransportError("unavailable", "the agent closed before the call was done", {
      outcome: "unknown",
    });
    for (const call of [...this.#calls]) if (which(call)) call.abandon(reason);
  }
}

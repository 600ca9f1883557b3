import { ParleyError, TransportError } from "../../call/error.ts";
import type { DeadlineListener, WatchedDeadline } from "../../runtime/deadlines.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { isAfter } from "../channel/seq.ts";

/** A peer may be late by half a lease. */
const PATIENCE = 2.5;

/** The call that a lease is for. */
export interface LeaseOwner {
  /** Position of the last item, or the end, that has arrived from the peer. */
  readonly receivedSeq: number;
  /** Tells the peer that this side still has the call, and how far it has sent. */
  sendLease(): void;
  /** The call cannot go on; the peer is told. */
  fail(error: ParleyError): void;
}

/**
 * Keeps a call alive that both sides know of: each tells the other at an interval, with an acknowledged message, that it still has the call. It
 * finds a peer that is gone without a word, and the tail of a stream that the broker lost: what one lease says was sent is there by the next.
 */
export class Lease implements DeadlineListener {
  readonly #runtime: Runtime;
  readonly #intervalMs: number;
  readonly #owner: LeaseOwner;
  #peerIntervalMs: number;
  #heardAt: number;
  #claimed: number | undefined;
  #watched: WatchedDeadline;
  #stopped = false;

  constructor(runtime: Runtime, intervalMs: number, owner: LeaseOwner) {
    this.#runtime = runtime;
    this.#intervalMs = intervalMs;
    this.#peerIntervalMs = intervalMs;
    this.#owner = owner;
    this.#heardAt = runtime.now();
    this.#watched = runtime.deadlines.add(this.#heardAt + intervalMs, this);
  }

  /** Something came from the peer on this call. */
  heard(): void {
    this.#heardAt = this.#runtime.now();
  }

  /** The peer says how far it has sent, and when it will say so again. */
  told(seq: number, nextMs: number | undefined): void {
    if (nextMs !== undefined) this.#peerIntervalMs = nextMs;
    const { receivedSeq } = this.#owner;
    const missing = this.#claimed !== undefined && isAfter(this.#claimed, receivedSeq);
    this.#claimed = seq;
    if (missing) {
      const message = `items are missing from the stream: the peer has sent up to number ${seq}, and ${receivedSeq} was the last to arrive`;
      this.#owner.fail(new ParleyError("data_loss", message, { outcome: "unknown" }));
    }
  }

  onDeadline(): void {
    const now = this.#runtime.now();
    const silentMs = now - this.#heardAt;
    // A process that stood still itself cannot tell who was silent: what came meanwhile has not been looked at.
    const timely = now - this.#watched.at < this.#intervalMs / 2;
    if (timely && silentMs > PATIENCE * this.#peerIntervalMs) {
      const message = `the peer has not been heard of for ${Math.round(silentMs)} ms on this call`;
      return this.#owner.fail(new TransportError("unavailable", message, { outcome: "unknown" }));
    }
    this.#owner.sendLease();
    if (!this.#stopped) this.#watched = this.#runtime.deadlines.add(now + this.#intervalMs, this);
  }

  stop(): void {
    this.#stopped = true;
    this.#runtime.deadlines.remove(this.#watched);
  }
}

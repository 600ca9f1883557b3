import { type CancelTimer, type ParleyError, type Runtime, TransportError } from "@parley/core/transport";
import type { WebSocket } from "ws";

/** What a {@link Pulse} is made from. */
export interface PulseInit {
  readonly webSocket: WebSocket;
  readonly runtime: Runtime;
  /** Longest silence before the peer is asked for a sign of life, ms. */
  readonly intervalMs: number | undefined;
  /** How long it may then stay silent, ms. */
  readonly timeoutMs: number;
  /** Grows whenever the peer shows that it is there. Undefined while nothing is read from it, and so nothing can be told. */
  signs(): number | undefined;
  /** The peer is gone without a word. */
  dead(error: ParleyError): void;
}

/** Pings the peer of one connection: to measure, and to find one that is gone without a word (a half-open connection). */
export class Pulse {
  readonly #init: PulseInit;
  #signs: number | undefined;
  #asked = false;
  #cancelTimer: CancelTimer | undefined;
  #rounds = 0;
  #round:
    | { readonly payload: string; readonly answered: PromiseWithResolvers<number>; readonly sentAt: number }
    | undefined;

  constructor(init: PulseInit) {
    this.#init = init;
    this.#signs = init.signs();
    init.webSocket.on("pong", (payload) => this.#pong(payload.toString()));
    if (init.intervalMs !== undefined) this.#sleep(init.intervalMs);
  }

  /** Round-trip time, ms. Those who ask while a ping is under way share it. */
  ping(): Promise<number> {
    if (!this.#round) {
      const { runtime, webSocket } = this.#init;
      const payload = String(++this.#rounds);
      this.#round = { payload, answered: Promise.withResolvers(), sentAt: runtime.now() };
      // Not everybody who asks waits for the answer.
      this.#round.answered.promise.catch(() => {});
      webSocket.ping(payload);
    }
    return this.#round.answered.promise;
  }

  /** The connection is over. */
  stop(error: ParleyError): void {
    this.#cancelTimer?.();
    this.#round?.answered.reject(error);
    this.#round = undefined;
  }

  #pong(payload: string): void {
    const round = this.#round;
    if (round?.payload !== payload) return;
    this.#round = undefined;
    round.answered.resolve(this.#init.runtime.now() - round.sentAt);
  }

  #sleep(delayMs: number): void {
    this.#cancelTimer = this.#init.runtime.setTimer(() => this.#wake(), delayMs);
  }

  #wake(): void {
    const { intervalMs = 0, timeoutMs, signs, dead } = this.#init;
    const before = this.#signs;
    this.#signs = signs();
    if (before === undefined || this.#signs !== before) {
      this.#asked = false;
      this.#sleep(intervalMs);
    } else if (!this.#asked) {
      this.#asked = true;
      void this.ping();
      this.#sleep(timeoutMs);
    } else dead(new TransportError("unavailable", `the peer did not answer a ping within ${timeoutMs} ms`));
  }
}

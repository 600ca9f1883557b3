import { type Runtime, TransportError } from "@parley/core/transport";
import { Patrol } from "../wire/patrol.ts";
import type { Roster } from "../wire/roster.ts";
import type { OpenCall } from "./link.ts";

/** What {@link Liveness} is made from. */
export interface LivenessInit {
  /** Calls that are not over. */
  readonly calls: Roster<OpenCall>;
  readonly heartbeatMs: number;
  readonly runtime: Runtime;
  /** Where the peer is, for messages. */
  readonly address: string;
  /** Asks the peer for a sign of life, for at most a heartbeat. */
  readonly ping: () => Promise<unknown>;
}

/**
 * Finds a peer that is gone without a word, while calls are under way: nothing heard for a heartbeat, it is asked, over another socket if
 * need be; without an answer, all calls that wait are lost. Streams look after themselves.
 */
export class Liveness {
  readonly #init: LivenessInit;
  readonly #patrol: Patrol;
  #heard = false;
  #asking = false;
  #stopDue = false;

  constructor(init: LivenessInit) {
    this.#init = init;
    this.#patrol = new Patrol(init.runtime, init.heartbeatMs, () => this.#look());
  }

  /** A call is under way. */
  watch(): void {
    this.#patrol.start();
  }

  /** No call is under way any more, and nothing keeps the process alive. One call right after another finds the patrol still on. */
  rest(): void {
    if (this.#stopDue) return;
    this.#stopDue = true;
    this.#init.runtime.nextTurn(() => {
      this.#stopDue = false;
      if (this.#init.calls.size === 0) this.#patrol.stop();
    });
  }

  /** The peer has shown a sign of life. */
  heard(): void {
    this.#heard = true;
  }

  #look(): boolean {
    const { calls, heartbeatMs } = this.#init;
    const heard = this.#heard;
    this.#heard = false;
    let waiting = false;
    for (const call of calls) waiting = call.checkSilence(heartbeatMs) || waiting;
    if (waiting && !heard && !this.#asking) this.#ask();
    return calls.size > 0;
  }

  async #ask(): Promise<void> {
    const { calls, heartbeatMs, address, ping } = this.#init;
    this.#asking = true;
    const waiting = [...calls];
    try {
      await ping();
    } catch (cause) {
      // An error that the peer sent is a sign of life as well.
      if (this.#heard) return;
      const message = `${address} has been silent for ${2 * heartbeatMs} ms`;
      for (const call of waiting) call.lost(new TransportError("unavailable", message, { cause }));
    } finally {
      this.#asking = false;
    }
  }
}

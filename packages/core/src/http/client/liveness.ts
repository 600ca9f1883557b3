import { ParleyError, type Runtime, TransportError } from "../../transport/index.ts";
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

  constructor(init: LivenessInit) {
    this.#init = init;
    this.#patrol = new Patrol(init.runtime, init.heartbeatMs, {
      look: () => this.#look(),
      needed: () => init.calls.size > 0,
    });
  }

  /** A call is under way. */
  watch(): void {
    this.#patrol.start();
  }

  /** No call is under way any more, and nothing keeps the process alive. One call right after another finds the patrol still on. */
  rest(): void {
    this.#patrol.decide();
  }

  /** The peer has shown a sign of life. */
  heard(): void {
    this.#heard = true;
  }

  #look(): boolean {
    const { calls, heartbeatMs } = this.#init;
    this.#heard = false;
    const waiting: OpenCall[] = [];
    for (const call of calls) if (call.checkSilence(heartbeatMs)) waiting.push(call);
    // Also while others are answered: what comes down says nothing of whether this call has gone up.
    if (waiting.length > 0 && !this.#asking) this.#ask(waiting);
    return calls.size > 0;
  }

  async #ask(waiting: readonly OpenCall[]): Promise<void> {
    const { heartbeatMs, address, ping } = this.#init;
    this.#asking = true;
    try {
      await ping();
    } catch (cause) {
      // An error that the peer sent is a sign of life as well.
      if (this.#heard && !timedOut(cause)) return;
      const message = `${address} has been silent for ${2 * heartbeatMs} ms`;
      for (const call of waiting) call.lost(new TransportError("unavailable", message, { cause }));
    } finally {
      this.#asking = false;
    }
  }
}

function timedOut(error: unknown): boolean {
  return error instanceof ParleyError && error.code === "deadline_exceeded";
}

import type { Remote } from "../../src/agent/connect.ts";
import { ParleyError } from "../../src/call/error.ts";
import type { Operation } from "./history.ts";
import type { Network } from "./network.ts";
import type { Servers } from "./servers.ts";
import type { SimulatedProcess, Simulation } from "./simulation.ts";
import type { World } from "./world-contract.ts";

/** What an {@link Aftermath} looks at. */
export interface AftermathInit {
  readonly simulation: Simulation;
  readonly network: Network;
  readonly client: SimulatedProcess;
  readonly servers: Servers;
  readonly remote: Remote<World>;
  /** Steps that have not settled. */
  openSteps(): number;
  violation(text: string): void;
}

/** How long a side may wait before it looks for the others again, when it did so in vain for a while, and how long that takes, ms. */
const FIND_MS = 12_000;

/** After everything is closed nothing may be set for longer, ms. */
const REST_MS = 15_000;

/** What is left when all is over: nothing but a connection that works, and not even that when it is closed. */
export class Aftermath {
  readonly #init: AftermathInit;

  constructor(init: AftermathInit) {
    this.#init = init;
  }

  /** Nothing is under way. Signs of life that are just being asked for are calls too. */
  get isQuiet(): boolean {
    const { servers, remote, openSteps } = this.#init;
    const { running, openCalls } = servers;
    return openSteps() === 0 && running.length === 0 && openCalls === 0 && remote.connection.stats().openCalls === 0;
  }

  /** Closes everything; where it is `closing` already no call can be made. Gives the last call, of id `nextId`. */
  async check({
    closing,
    nextId,
  }: {
    readonly closing: boolean;
    readonly nextId: number;
  }): Promise<Operation | undefined> {
    await this.#checkOpen("when all was over");
    const last = closing ? undefined : await this.#call(nextId);
    if (!closing) await this.#checkRemains();
    await this.#checkClose();
    await this.#checkTimers();
    return last;
  }

  /** Whatever happened, it is over: a call is answered again, as soon as all have found each other. */
  async #call(id: number): Promise<Operation> {
    const { simulation, client, remote, violation } = this.#init;
    const from = simulation.now;
    for (;;) {
      try {
        const answer = await settled(simulation, "a last call", remote.work({ id, items: 0, workMs: 0 }));
        return { id, promised: "once", from, to: simulation.now, result: "ok", answer };
      } catch (error) {
        const { cause } = error as Error;
        const mayTry = cause instanceof ParleyError && cause.outcome === "not-sent";
        if (!mayTry || simulation.now >= from + FIND_MS) {
          violation(`a call was not answered when all was over: ${String(cause)}`);
          return { id, promised: "once", from, to: simulation.now, result: "unknown" };
        }
        const pause = new Promise<void>((resolve) => client.runtime.setTimer(resolve, 100));
        await settled(simulation, "a pause", pause);
      }
    }
  }

  async #checkOpen(when: string): Promise<void> {
    const { simulation, servers, remote, violation } = this.#init;
    await simulation.run(simulation.now + 1_000, () => this.isQuiet);
    const { openCalls } = remote.connection.stats();
    if (openCalls > 0) violation(`the client counts ${openCalls} open calls ${when}`);
    if (servers.openCalls > 0) violation(`servers count ${servers.openCalls} open calls ${when}`);
  }

  /** What either side kept to send again is acknowledged, soon after the last call. */
  async #checkRemains(): Promise<void> {
    const { simulation, network, violation } = this.#init;
    const remains = (): readonly string[] => network.remains?.() ?? [];
    await simulation.run(simulation.now + 1_000, () => remains().length === 0);
    for (const problem of remains()) violation(problem);
  }

  async #checkClose(): Promise<void> {
    const { simulation, remote, servers, violation } = this.#init;
    try {
      await settled(simulation, "close", Promise.all([remote.close({ graceMs: 100 }), servers.close()]));
    } catch {
      violation("close did not resolve");
    }
    await this.#checkOpen("after close");
  }

  async #checkTimers(): Promise<void> {
    const { simulation, client, servers, violation } = this.#init;
    await simulation.run(simulation.now + REST_MS, () => client.timers + servers.timers === 0);
    if (client.timers > 0) violation(`the client has ${client.timers} timers after close`);
    if (servers.timers > 0) violation(`servers have ${servers.timers} timers after close`);
  }
}

/** Runs a simulation until a promise has settled. @throws Error when it has failed, or does not settle soon */
export async function settled<Value>(simulation: Simulation, what: string, promise: Promise<Value>): Promise<Value> {
  const state: { value?: Value; error?: unknown; is?: "done" | "failed" } = {};
  promise.then(
    (value) => Object.assign(state, { value, is: "done" }),
    (error: unknown) => Object.assign(state, { error, is: "failed" }),
  );
  await simulation.run(simulation.now + 5_000, () => state.is !== undefined);
  if (state.is !== "done") throw new Error(`${what} must succeed`, { cause: state.error });
  return state.value as Value;
}

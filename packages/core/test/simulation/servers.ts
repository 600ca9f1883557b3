import { type Agent, agent } from "../../src/agent/agent.ts";
import type { HandledCall } from "../../src/agent/handled-call.ts";
import type { Handlers } from "../../src/agent/handlers.ts";
import { type AgentServer, serve } from "../../src/agent/serve.ts";
import type { Interceptor } from "../../src/call/interceptor.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { Effect } from "./history.ts";
import type { Network } from "./network.ts";
import type { SimulatedProcess, Simulation } from "./simulation.ts";
import { type World, world } from "./world-contract.ts";

/** What {@link Servers} are made from. */
export interface ServersInit {
  readonly simulation: Simulation;
  readonly network: Network;
  /** Around the calls of each, for each of its lives. */
  use(runtime: Runtime): readonly Interceptor[];
  violation(text: string): void;
}

interface Life {
  readonly process: SimulatedProcess;
  readonly name: string;
  server: AgentServer<World> | undefined;
  /** Handlers that run, by step. */
  readonly running: Map<number, number>;
}

interface Job {
  readonly id: number;
  readonly workMs: number;
}

/** Deadlines are noticed at most so much later: a slot of the wheel, ms. */
export const NOTICE_MS = 10;

/** How long a server waits that could not be started. */
const START_AGAIN_MS = 50;

/** The serving processes of a world, each with one life after the other. Their effects outlive them. */
export class Servers {
  readonly effects: Effect[] = [];
  /** Steps of which handlers learned, in this order. */
  readonly begun: number[] = [];
  readonly #init: ServersInit;
  readonly #lives: Life[] = [];
  #made = 0;

  constructor(init: ServersInit) {
    this.#init = init;
  }

  /** Handlers that still run in living processes, by step. */
  get running(): readonly number[] {
    return this.#lives.flatMap(({ running }) => [...running].filter(([, count]) => count > 0).map(([id]) => id));
  }

  /** Calls that living processes count as open. */
  get openCalls(): number {
    return this.#lives.reduce((sum, { server }) => sum + (server?.stats().openCalls ?? 0), 0);
  }

  /** Timers that are set in living processes. */
  get timers(): number {
    return this.#lives.reduce((sum, { process }) => sum + process.timers, 0);
  }

  /** Resolves when it serves. */
  async start(place: number): Promise<void> {
    const { simulation, network, use } = this.#init;
    const process = simulation.process(`server ${place}`);
    const life: Life = { process, name: `life ${++this.#made}`, server: undefined, running: new Map() };
    this.#lives[place] = life;
    while (process.alive && !life.server) {
      try {
        const { runtime } = process;
        const transports = [network.transport(process)];
        life.server = await serve(this.#agent(life), "sim://server", { transports, runtime, use: use(runtime) });
      } catch (error) {
        simulation.tell(`${process.name} cannot be reached: ${String(error)}`);
        await pause(process.runtime, START_AGAIN_MS);
      }
    }
    if (life.server) void this.#listen(life, life.server);
  }

  /** It crashes, and is there again after a while. */
  restart(place: number, afterMs: number): void {
    const { simulation, network } = this.#init;
    const life = this.#lives[place % this.#lives.length];
    if (!life?.process.alive) return;
    network.crash(life.process);
    life.running.clear();
    life.server = undefined;
    simulation.after(afterMs, () => void this.start(this.#lives.indexOf(life)));
  }

  /** The first tells the news, whichever life it is in. */
  publish(item: number): void {
    void this.#lives[0]?.server?.topics.news.publish({}, item).catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all(this.#lives.map(({ server }) => server?.close({ graceMs: 100 })));
  }

  #agent(life: Life): Agent<World> {
    const { begun } = this;
    const { simulation, violation } = this.#init;
    const work = async ({ id, workMs }: Job, call: HandledCall): Promise<number> => {
      life.running.set(id, (life.running.get(id) ?? 0) + 1);
      const effect = this.#effect(id, life);
      // Some handlers stop when nobody waits any more, others do not look.
      await pause(life.process.runtime, workMs, id % 2 === 0 ? call.signal : undefined);
      life.running.set(id, (life.running.get(id) ?? 0) - 1);
      if (call.aborted) simulation.tell(`handler of ${id} was aborted: ${call.aborted.code}`);
      if (call.aborted && id % 2 === 0) throw call.aborted;
      if (!call.aborted && call.deadline !== undefined && simulation.now > call.deadline + NOTICE_MS)
        violation(`the handler of ${id} was not told that its deadline had passed`);
      return effect.number;
    };
    const handlers: Handlers<World> = {
      work,
      lookup: work,
      note: async (job, call) => {
        await work(job, call);
      },
      count: ({ id, items, workMs }) => {
        begun.push(id);
        return upTo(items, workMs, life.process.runtime);
      },
      collect: async (items) => {
        let last = 0;
        for await (const item of items) {
          if (item !== last + 1) violation(`an upload got item ${item} after ${last}`);
          last = item;
        }
        return last;
      },
      async *echo(items) {
        yield* items;
      },
    };
    return agent(world, handlers, { runtime: life.process.runtime });
  }

  /** What clients publish is an effect too, for whoever listens. */
  async #listen(life: Life, { topics }: AgentServer<World>): Promise<void> {
    const subscription = await topics.reports.subscribe();
    for await (const { data } of subscription) this.#effect(data, life);
  }

  #effect(id: number, { name: life }: Life): Effect {
    const effect = { number: this.effects.length + 1, id, life, at: this.#init.simulation.now };
    this.effects.push(effect);
    this.begun.push(id);
    this.#init.simulation.tell(`${life} does ${id}: effect ${effect.number}`);
    return effect;
  }
}

async function* upTo(items: number, workMs: number, runtime: Runtime): AsyncGenerator<number, void, undefined> {
  for (let item = 1; item <= items; item++) {
    if (workMs > 0) await pause(runtime, workMs);
    yield item;
  }
}

/** Resolves after the time, or when the signal is aborted. */
function pause(runtime: Runtime, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancelTimer = runtime.setTimer(resolve, ms);
    signal?.addEventListener("abort", () => {
      cancelTimer();
      resolve();
    });
  });
}

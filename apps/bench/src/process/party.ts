import type { RunningBroker } from "@parley/conformance";
import type { Taken } from "../drive.ts";
import type { ContenderName, Wire, Workload } from "../plan.ts";
import type { Spent } from "../profile/profiler.ts";
import { SideProcess } from "./side-process.ts";
import { childrenOf, sumUsage, type Usage, usageOf } from "./usage.ts";

/** What a slice of work took of all its processes. */
export interface Sample extends Taken {
  /** CPU time of the calling and the serving process, and of the broker. */
  readonly cpuSeconds: number;
  /** Memory of the calling and the serving process together afterwards, and the sum of the most that each has held. */
  readonly residentMiB: number;
  readonly peakMiB: number;
}

/** What the processes of a contender did. */
export interface Profiled {
  readonly operations: number;
  readonly calling: Spent;
  readonly serving: Spent | undefined;
}

/** A contender, alive: its serving and its calling process, connected. */
export class Party {
  readonly name: ContenderName;
  readonly #calling: SideProcess;
  /** Over a pipe the calling process starts it itself. */
  readonly #serving: SideProcess | undefined;
  readonly #broker: RunningBroker | undefined;

  private constructor(wire: Wire, name: ContenderName, broker: RunningBroker | undefined) {
    this.name = name;
    this.#serving = wire === "stdio" ? undefined : new SideProcess("serving", wire, name);
    this.#calling = new SideProcess("calling", wire, name);
    this.#broker = broker;
  }

  /** Starts both processes. @throws Error with the words of the one that failed; none is left behind. */
  static async start(wire: Wire, name: ContenderName, broker: RunningBroker | undefined): Promise<Party> {
    const party = new Party(wire, name, broker);
    try {
      const address = broker && new URL(`/agents/${name}`, broker.url).href;
      const url = (await party.#serving?.ask<string>({ name: "serve", broker: address })) ?? "stdio:";
      await party.#calling.ask({ name: "connect", url });
      return party;
    } catch (error) {
      await party.stop();
      throw error;
    }
  }

  async run(work: Workload): Promise<Sample> {
    const before = await this.#usage();
    const brokerBefore = this.#brokerSeconds();
    const taken = await this.#calling.ask<Taken>({ name: "run", work });
    const { cpuSeconds, ...memory } = await this.#usage();
    const brokerSeconds = this.#brokerSeconds() - brokerBefore;
    return { ...taken, ...memory, cpuSeconds: cpuSeconds - before.cpuSeconds + brokerSeconds };
  }

  /** Takes samples while it works, so many times: of the serving process, too, unless the calling one has started it. */
  async profile(work: Workload, times: number): Promise<Profiled> {
    const sides = [this.#calling, this.#serving];
    for (const side of sides) await side?.ask({ name: "profile" });
    let operations = 0;
    for (let time = 0; time < times; time++) {
      operations += (await this.#calling.ask<Taken>({ name: "run", work })).operations;
    }
    const [calling, serving] = await Promise.all(sides.map((side) => side?.ask<Spent>({ name: "spent" })));
    return { operations, calling: calling as Spent, serving }; // there is one that calls
  }

  /** Closes the connections and ends both processes. */
  async stop(): Promise<void> {
    await this.#calling.stop();
    await this.#serving?.stop();
  }

  async #usage(): Promise<Usage> {
    const calling = this.#calling.ask<Usage>({ name: "usage" });
    const serving = this.#serving
      ? [await this.#serving.ask<Usage>({ name: "usage" })]
      : childrenOf(this.#calling.pid).map(usageOf);
    return sumUsage([await calling, ...serving]);
  }

  #brokerSeconds(): number {
    return this.#broker ? usageOf(this.#broker.pid).cpuSeconds : 0;
  }
}

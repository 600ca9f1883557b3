import type { ParleyError } from "../../src/call/error.ts";
import type { Address, Arrival, BrokerEvents } from "../../src/transport/broker/broker.ts";
import { Lane } from "./lane.ts";
import type { SimulatedProcess, Simulation } from "./simulation.ts";

/** A queue at the broker, and the way from it to its reader. */
export interface Subscription {
  readonly at: Address;
  readonly lane: Lane;
  on(arrival: Arrival): void;
}

/** One link of a process to the simulated broker. */
export class SimulatedLink {
  readonly process: SimulatedProcess;
  readonly inbox: string;
  /** What the process sends, and what the broker answers to it. */
  readonly up: Lane;
  readonly down: Lane;
  /** The process's own inbox. */
  readonly own: Subscription;
  readonly subscriptions: Set<Subscription> = new Set();
  readonly #simulation: Simulation;
  readonly #events: BrokerEvents;
  readonly #lanes = new Set<Lane>();
  /** Told when the link ends before they are answered. */
  readonly #rounds = new Set<(error: ParleyError) => void>();
  #over = false;

  constructor(simulation: Simulation, process: SimulatedProcess, inbox: string, events: BrokerEvents) {
    this.#simulation = simulation;
    this.process = process;
    this.inbox = inbox;
    this.#events = events;
    // The broker still gets what a process sent before it crashed.
    this.up = this.#lane(() => true);
    this.down = this.#lane(() => this.#listens);
    this.own = this.subscription({ agent: inbox }, (arrival) => events.inbox(arrival));
  }

  subscription(at: Address, on: (arrival: Arrival) => void): Subscription {
    return { at, on, lane: this.#lane(() => this.#listens) };
  }

  /** Has the broker do something; resolves when it says so. */
  round(asked: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over) return resolve();
      this.#rounds.add(reject);
      this.up.send(() => {
        asked();
        this.down.send(() => {
          this.#rounds.delete(reject);
          resolve();
        });
      });
    });
  }

  stall(ms: number): void {
    for (const lane of this.#lanes) lane.stall(ms);
  }

  mute(): void {
    for (const lane of this.#lanes) lane.mute();
  }

  /** What is under way is lost; the process is told soon. */
  cut(error: ParleyError): void {
    this.mute();
    this.#simulation.after(this.#simulation.random.next() * 3, () => this.end(error));
  }

  /** The process knows that it has lost the link. */
  end(error: ParleyError): void {
    if (!this.#listens) return;
    this.close();
    this.#events.down(error);
    for (const reject of this.#rounds) reject(error);
  }

  /** The process is done with it. */
  close(): void {
    this.#over = true;
    this.mute();
  }

  get #listens(): boolean {
    return !this.#over && this.process.alive;
  }

  #lane(alive: () => boolean): Lane {
    const lane = new Lane(this.#simulation, alive);
    this.#lanes.add(lane);
    return lane;
  }
}

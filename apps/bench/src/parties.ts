import type { RunningBroker } from "@parley/conformance";
import type { ContenderName, Wire } from "./plan.ts";
import { Party, type Sample } from "./process/party.ts";

/** Who takes turns, and how often. */
export interface Turns {
  /** Rounds that are not counted. */
  readonly warmUp: number;
  readonly rounds: number;
  /** @default all of them */
  readonly among?: (name: ContenderName) => boolean;
}

/** Contenders of a wire that are alive together, and their broker. */
export class Parties implements AsyncDisposable {
  readonly #parties: readonly Party[];
  readonly #broker: RunningBroker | undefined;

  private constructor(parties: readonly Party[], broker: RunningBroker | undefined) {
    this.#parties = parties;
    this.#broker = broker;
  }

  /** @throws Error when one does not start; none is left behind. */
  static async start(wire: Wire, names: readonly ContenderName[]): Promise<Parties> {
    const broker = wire === "mqtt" ? await startBroker() : undefined;
    const parties: Party[] = [];
    const started = new Parties(parties, broker);
    try {
      for (const name of names) parties.push(await Party.start(wire, name, broker));
    } catch (error) {
      await started[Symbol.asyncDispose]();
      throw error;
    }
    return started;
  }

  /** Program that runs as the broker. */
  get broker(): string | undefined {
    return this.#broker?.program;
  }

  [Symbol.iterator](): Iterator<Party> {
    return this.#parties[Symbol.iterator]();
  }

  /**
   * Lets all take turns, in an order that is reversed every round, so that what disturbs the machine disturbs all of them. Resolves with what
   * the rounds took; those of warm-up are not counted.
   */
  async takeTurns(
    turn: (party: Party) => Promise<Sample | undefined>,
    { warmUp, rounds, among = () => true }: Turns,
  ): Promise<Readonly<Partial<Record<ContenderName, readonly Sample[]>>>> {
    const parties = this.#parties.filter(({ name }) => among(name));
    const samples = new Map(parties.map(({ name }) => [name, [] as Sample[]]));
    for (let round = -warmUp; round < rounds; round++) {
      for (const party of round % 2 === 0 ? parties : parties.toReversed()) {
        const sample = await turn(party);
        if (round >= 0 && sample) samples.get(party.name)?.push(sample);
      }
    }
    return Object.fromEntries(samples);
  }

  /** Ends all processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#parties.map((party) => party.stop()));
    await this.#broker?.end("SIGTERM");
  }
}

/** Starts a broker for MQTT. @throws Error when there is no program for it here. */
export async function startBroker(): Promise<RunningBroker> {
  const { mqttBroker } = await import("@parley/conformance");
  const broker = (await mqttBroker.start({})) ?? (await mqttBroker.startLesser?.({}));
  if (!broker) throw new Error(`there is no MQTT broker here: ${mqttBroker.help}`);
  return broker;
}

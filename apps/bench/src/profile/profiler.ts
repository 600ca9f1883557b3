import { Session, type Profiler as V8Profiler } from "node:inspector/promises";
import { type Part, partOf, parts } from "./part.ts";

/** What a process did in a while. */
export interface Spent {
  /** Time in each part, µs. */
  readonly busyUs: Readonly<Record<Part, number>>;
  /** Time in which it waited, µs. */
  readonly idleUs: number;
}

/** Fine enough for slices of a second, and no burden. */
const INTERVAL_US = 200;

/** Takes samples of what this process does. */
export class Profiler {
  readonly #session = new Session();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await this.#session.post("Profiler.start");
  }

  async stop(): Promise<Spent> {
    const { profile } = await this.#session.post("Profiler.stop");
    this.#session.disconnect();
    return spentIn(profile);
  }
}

/** Adds up the samples of a profile: each counts for the time since the one before. */
export function spentIn({ nodes, samples = [], timeDeltas = [] }: V8Profiler.Profile): Spent {
  const partsById = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
  const busyUs = Object.fromEntries(parts.map((part) => [part, 0])) as Record<Part, number>;
  let idleUs = 0;
  for (const [place, id] of samples.entries()) {
    const us = timeDeltas[place] ?? 0;
    const part = partsById.get(id);
    if (part === "waiting") idleUs += us;
    else if (part !== undefined && part !== "profiling") busyUs[part] += us;
  }
  return { busyUs, idleUs };
}

import { type ContenderName, isMeasured, type Measure, type Size, type Wire, workload } from "./plan.ts";
import { Party, type Sample } from "./process/party.ts";

/** What to measure. */
export interface RunOptions {
  readonly wires: readonly Wire[];
  readonly measures: readonly Measure[];
  readonly sizes: readonly Size[];
  /** Raw first. */
  readonly contenders: readonly ContenderName[];
  readonly rounds: number;
  /** Length of a slice of work, 1 being the full one. */
  readonly scale: number;
}

/** One measure at one size over one wire: the samples of each contender, round by round. */
export interface Comparison {
  readonly wire: Wire;
  readonly measure: Measure;
  readonly size: Size;
  readonly samples: Readonly<Partial<Record<ContenderName, readonly Sample[]>>>;
}

/** Rounds that are not counted: of requests, until all is compiled that every measure uses, and of each measure. */
const FIRST_ROUNDS = 4;
const WARM_UP_ROUNDS = 2;

/**
 * Measures, telling each comparison as it is done. All contenders of a wire are alive together and take turns, in an order that is reversed
 * every round, so that what disturbs the machine disturbs all of them.
 * @throws Error when a process fails, hangs, or gets a wrong answer.
 */
export async function* run(options: RunOptions): AsyncGenerator<Comparison, void, undefined> {
  for (const wire of options.wires) {
    const parties: Party[] = [];
    try {
      for (const name of options.contenders) parties.push(await Party.start(wire, name));
      await warmUp(parties, options);
      for (const size of options.sizes) {
        for (const measure of options.measures.filter((one) => isMeasured(wire, one))) {
          yield { wire, measure, size, samples: await compare(parties, options, measure, size) };
        }
      }
    } finally {
      await Promise.all(parties.map((party) => party.stop()));
    }
  }
}

async function warmUp(parties: readonly Party[], { scale }: RunOptions): Promise<void> {
  const work = workload("c64", "small", scale);
  for (let round = 0; round < FIRST_ROUNDS; round++) for (const party of parties) await party.run(work);
}

async function compare(
  parties: readonly Party[],
  options: RunOptions,
  measure: Measure,
  size: Size,
): Promise<Comparison["samples"]> {
  const { rounds, scale } = options;
  const work = workload(measure, size, scale);
  const samples = new Map(parties.map(({ name }) => [name, [] as Sample[]]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const party of round % 2 === 0 ? parties : parties.toReversed()) {
      const sample = await party.run(work);
      if (round >= 0) samples.get(party.name)?.push(sample);
    }
  }
  return Object.fromEntries(samples);
}

import { Parties } from "./parties.ts";
import {
  type ContenderName,
  isContender,
  isMeasured,
  type Measure,
  type Size,
  scaleOf,
  takesPart,
  type Wire,
  workload,
} from "./plan.ts";
import type { Party, Sample } from "./process/party.ts";

/** What to compare. */
export interface CompareOptions {
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
const ALONE_SLICES = 10;
const WARM_UP_ROUNDS = 2;

/**
 * Compares the contenders of each wire, telling each comparison as it is done.
 * @throws Error when a process fails, hangs, or gets a wrong answer.
 */
export async function* compare(options: CompareOptions): AsyncGenerator<Comparison, void, undefined> {
  const { wires, measures, sizes, contenders, rounds, scale } = options;
  if (measures.length === 0) return;
  for (const wire of wires) {
    await using parties = await Parties.start(
      wire,
      contenders.filter((name) => isContender(wire, name)),
    );
    const slice = (party: Party, measure: Measure, size: Size, times = 1): Promise<Sample> =>
      party.run(workload(measure, size, times * scaleOf(party.name, scale)));
    await parties.takeTurns((party) => slice(party, "c64", "small"), {
      warmUp: 0,
      rounds: FIRST_ROUNDS,
      among: (name) => takesPart(name, wire, "c64", "small"),
    });
    // Who sends batches sends a request that is alone in another way, and would be measured at c1 with code that is not compiled.
    await parties.takeTurns((party) => slice(party, "c1", "small", ALONE_SLICES), { warmUp: 0, rounds: 1 });
    for (const size of sizes) {
      for (const measure of measures.filter((one) => isMeasured(wire, one))) {
        const samples = await parties.takeTurns((party) => slice(party, measure, size), {
          warmUp: WARM_UP_ROUNDS,
          rounds,
          among: (name) => takesPart(name, wire, measure, size),
        });
        yield { wire, measure, size, samples };
      }
    }
  }
}

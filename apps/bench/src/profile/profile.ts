import { Parties } from "../parties.ts";
import { type ContenderName, isContender, isMeasured, type Measure, type Size, type Wire, workload } from "../plan.ts";
import type { Profiled } from "../process/party.ts";
import { type Part, parts } from "./part.ts";
import type { Spent } from "./profiler.ts";

/** Where the time of one contender goes at one measure. */
export interface Profile {
  readonly wire: Wire;
  readonly measure: Measure;
  readonly size: Size;
  readonly contender: ContenderName;
  /** Time that both processes spend on one operation, µs; of stdio the caller alone. */
  readonly busyUs: Readonly<Record<Part, number>>;
  /** Share of the time in which the process waits. */
  readonly idle: { readonly calling: number; readonly serving?: number };
}

/** What is profiled: one at a time there is little but waiting. */
const profiled: readonly Measure[] = ["c64", "stream", "pubsub"];

/** Rounds that are not looked at, until all is compiled. */
const WARM_UP_ROUNDS = 6;
const PROFILED_ROUNDS = 8;

/** What to profile: raw code and Parley on a wire. */
export interface ProfileOptions {
  readonly wire: Wire;
  readonly sizes: readonly Size[];
  readonly contenders: readonly ContenderName[];
  /** Length of a slice of work, 1 being the full one. */
  readonly scale: number;
}

/** Profiles contenders one after the other. @throws Error when a process fails */
export async function* profiles(options: ProfileOptions): AsyncGenerator<Profile, void, undefined> {
  const { wire, sizes, contenders, scale } = options;
  for (const contender of contenders.filter((name) => isContender(wire, name))) {
    await using parties = await Parties.start(wire, [contender]);
    for (const size of sizes) {
      for (const measure of profiled.filter((one) => isMeasured(wire, one))) {
        const work = workload(measure, size, scale);
        await parties.takeTurns((party) => party.run(work), { warmUp: WARM_UP_ROUNDS, rounds: 0 });
        for (const party of parties) {
          yield { wire, measure, size, contender, ...summary(await party.profile(work, PROFILED_ROUNDS)) };
        }
      }
    }
  }
}

/** Time of both sides on one operation, and how much each waited. */
export function summary({ operations, calling, serving }: Profiled): Pick<Profile, "busyUs" | "idle"> {
  const sides = serving ? [calling, serving] : [calling];
  const busyUs = Object.fromEntries(
    parts.map((part) => [part, sides.reduce((sum, side) => sum + side.busyUs[part], 0) / operations]),
  ) as Record<Part, number>;
  const idle = { calling: idleShare(calling), ...(serving && { serving: idleShare(serving) }) };
  return { busyUs, idle };
}

function idleShare({ busyUs, idleUs }: Spent): number {
  return idleUs / (idleUs + parts.reduce((sum, part) => sum + busyUs[part], 0));
}

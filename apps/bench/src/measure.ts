import { allocations } from "./allocations/allocations.ts";
import type { Arguments } from "./arguments.ts";
import { compare } from "./compare.ts";
import { footprints } from "./footprint/footprint.ts";
import { grow } from "./growth.ts";
import { isOther } from "./others.ts";
import { profiles } from "./profile/profile.ts";
import type { Results } from "./report/document.ts";
import { figuresOf } from "./report/figures.ts";
import { growthFigures } from "./report/growth-figures.ts";
import { profileLine } from "./report/profile-table.ts";
import { allocationLines, footprintLines, growthLines, tableHead, tableLines } from "./report/table.ts";

/** Rounds of what spreads less, or takes longer, than what is compared. */
const MAX_FURTHER_ROUNDS = 5;

/** Results as they come. */
export interface Found extends Partial<Results> {
  /** For the terminal. */
  readonly lines: string;
}

/** Measures what was asked for, what is quick first. @throws Error when something fails, with what. */
export async function* measure(args: Arguments): AsyncGenerator<Found, void, undefined> {
  const { wires, sizes, contenders, curves, extras, scale } = args;
  const rounds = Math.min(args.rounds, MAX_FURTHER_ROUNDS);
  if (extras.includes("footprint")) {
    const found = await footprints(wires, rounds);
    yield { lines: footprintLines(found), footprints: found };
  }
  for (const wire of extras.includes("allocations") ? wires : []) {
    for (const name of contenders.filter((one) => one === "raw" || one === "parley")) {
      const found = await allocations(wire, name);
      yield { lines: allocationLines(found), allocations: [found] };
    }
  }
  if (args.measures.length > 0) yield { lines: tableHead };
  for await (const comparison of compare(args)) {
    const figures = figuresOf(comparison);
    yield { lines: tableLines(figures), figures };
  }
  for (const wire of extras.includes("profile") ? wires : []) {
    const own = contenders.filter((name) => name !== "typed" && name !== "resilient" && !isOther(name));
    for await (const profile of profiles({ wire, sizes, contenders: own, scale })) {
      yield { lines: profileLine(profile), profiles: [profile] };
    }
  }
  for await (const one of grow({ wires, curves, rounds, scale })) {
    const growth = growthFigures(one);
    yield { lines: growthLines(growth), growth };
  }
}

import type { Manifest } from "@parley/core/transport";
import type { Result } from "./result.ts";
import type { Group } from "./scenario.ts";

/** Groups whose scenarios must look the same on every wire. */
export const equivalentGroups: ReadonlySet<Group> = new Set<Group>(["ENV", "RR", "SS", "ERR"]);

/** How one scenario of those compares (G-09). */
export interface Equivalence {
  readonly scenario: string;
  /** The wires that passed it, and are compared. */
  readonly transports: readonly string[];
  /** Those on which it looked otherwise than on the first. Empty: it is the same on all. */
  readonly differences: readonly Difference[];
}

/** How a scenario differs on one wire. */
export interface Difference {
  readonly transport: string;
  /** Which call, from 1. */
  readonly call: number;
  /** What was seen of it here. */
  readonly here: string;
  /** What was seen of it on the first wire. */
  readonly there: string;
}

/** Compares what was seen on wires that carry every kind of call: a wire without one has less to show. */
export function equivalence(
  results: readonly Result[],
  manifests: Readonly<Record<string, Manifest>>,
): readonly Equivalence[] {
  const complete = (transport: string): boolean => {
    const { kinds } = manifests[transport] ?? {};
    return kinds !== undefined && !Object.values(kinds).includes("none");
  };
  const comparable = results.filter(
    ({ seen, verdict, transport }) => seen?.calls.length && verdict === "pass" && complete(transport),
  );
  return [...Map.groupBy(comparable, ({ scenario }) => scenario)]
    .filter(([, own]) => own.length > 1)
    .map(([scenario, own]) => ({
      scenario,
      transports: own.map(({ transport }) => transport),
      differences: own.slice(1).flatMap((other) => difference(own[0] as Result, other)), // there are two or more
    }));
}

function difference({ seen: first }: Result, { transport, seen: other }: Result): Difference[] {
  if (!first || !other || first.hash === other.hash) return [];
  const longest = Math.max(first.calls.length, other.calls.length);
  const at = Array.from({ length: longest }, (_, index) => index).find(
    (index) => first.calls[index] !== other.calls[index],
  );
  const lineOf = (calls: readonly string[]): string => calls[at ?? 0] ?? "no such call";
  return [{ transport, call: (at ?? 0) + 1, here: lineOf(other.calls), there: lineOf(first.calls) }];
}

import type { Growth } from "../growth.ts";
import type { ContenderName, Curve, Wire } from "../plan.ts";
import { median } from "../ratio.ts";
import { orNull } from "./figures.ts";

/** How the cost of one contender grows. */
export interface GrowthFigures {
  readonly wire: Wire;
  readonly curve: Curve;
  readonly contender: ContenderName;
  readonly points: readonly GrowthPoint[];
  /** Why there are no further points. */
  readonly ended?: string;
}

/** Medians of the rounds. */
export interface GrowthPoint {
  /** Requests in flight, connections, subscriptions, or bytes. */
  readonly at: number;
  /** Time and CPU time of one request, delivery or item, µs. */
  readonly elapsedUs: number;
  readonly cpuUs: number | null;
  /** Memory of both processes afterwards. */
  readonly residentMiB: number | null;
}

/** The curves of each contender. */
export function growthFigures({ wire, curve, steps, ended }: Growth): readonly GrowthFigures[] {
  const names = Object.keys(steps[0]?.samples ?? {}) as ContenderName[]; // what samples are keyed by
  return names.map((contender) => {
    const points = steps.flatMap(({ at, samples }) => {
      const own = samples[contender] ?? [];
      if (own.length === 0) return [];
      return [
        {
          at,
          elapsedUs: median(own.map(({ elapsedMs, operations }) => (elapsedMs * 1_000) / operations)),
          cpuUs: orNull(median(own.map(({ cpuSeconds, operations }) => (cpuSeconds * 1e6) / operations))),
          residentMiB: orNull(median(own.map(({ residentMiB }) => residentMiB))),
        },
      ];
    });
    const why = ended[contender];
    return { wire, curve, contender, points, ...(why === undefined ? {} : { ended: why }) };
  });
}

/**
 * How many times the cheapest step's cost the last step has: time of one operation, or, where steps are bytes, time of one byte. Undefined for
 * less than two steps.
 */
export function growthFactor({ curve, points }: GrowthFigures): number | undefined {
  const costs = points.map(({ at, elapsedUs }) => (curve === "item-bytes" ? elapsedUs / at : elapsedUs));
  const last = costs.at(-1);
  return last === undefined || costs.length < 2 ? undefined : last / Math.min(...costs);
}

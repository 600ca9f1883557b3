import type { Allocations } from "../allocations/allocations.ts";
import type { Footprint } from "../footprint/footprint.ts";
import type { Ratio } from "../ratio.ts";
import type { Figures } from "./figures.ts";
import { type GoalResult, resultsOf } from "./goals.ts";
import type { GrowthFigures } from "./growth-figures.ts";

const columns = [
  "wire",
  "measure",
  "size",
  "contender",
  "speed to raw",
  "CPU to raw",
  "per second",
  "CPU s/100k",
  "p50 ms",
  "p99 ms",
  "peak MiB",
  "goals",
];
const widths = [5, 8, 6, 10, 19, 19, 11, 11, 8, 8, 8, 0];
const LEFT_ALIGNED = [0, 1, 2, 3, 11];

/** The first line of the table. */
export const tableHead: string = line(columns);

/** The lines of one comparison, a contender each. */
export function tableLines(figures: readonly Figures[]): string {
  const lines = figures.map((one) =>
    line([
      one.wire,
      one.measure,
      one.size,
      one.contender,
      one.toRaw ? ratio(one.toRaw.speed) : "",
      one.toRaw ? ratio(one.toRaw.cpu) : "",
      Math.round(one.perSecond).toLocaleString("en"),
      one.cpuSecondsPer100k?.toFixed(2) ?? "",
      one.p50Ms?.toFixed(3) ?? "",
      one.p99Ms?.toFixed(3) ?? "",
      one.peakMiB?.toFixed() ?? "",
      [...multiples(one), ...resultsOf(one).map(result)].join(", "),
    ]),
  );
  return lines.join("\n");
}

/** The lines of the curves over one wire, a contender each. */
export function growthLines(figures: readonly GrowthFigures[]): string {
  const lines = figures.map(({ wire, curve, contender, points, ended }) => {
    const costs = points.map(({ at, elapsedUs }) => `${at.toLocaleString("en")}: ${elapsedUs.toFixed(1)} µs`);
    return `${wire.padEnd(5)}  ${curve.padEnd(13)}  ${contender.padEnd(6)}  ${costs.join("  ")}${ended === undefined ? "" : `  ended: ${ended}`}`;
  });
  return lines.join("\n");
}

/** A line for each library. */
export function footprintLines(footprints: readonly Footprint[]): string {
  const lines = footprints.map(({ wire, contender, importMs, packages, bytes }) => {
    const size = `${Math.round(bytes / 1024).toLocaleString("en")} KiB in ${packages} packages`;
    return `${wire.padEnd(5)}  ${"footprint".padEnd(13)}  ${contender.padEnd(6)}  import ${importMs.median.toFixed(1)} ms  ${size}`;
  });
  return lines.join("\n");
}

/** The line of one contender. */
export function allocationLines({ wire, contender, requestBytes, itemBytes }: Allocations): string {
  const costs = `request ${Math.round(requestBytes).toLocaleString("en")} B  item ${Math.round(itemBytes).toLocaleString("en")} B`;
  return `${wire.padEnd(5)}  ${"allocations".padEnd(13)}  ${contender.padEnd(6)}  ${costs}`;
}

/** How many times as fast as another framework Parley is. */
function multiples({ parleyTo = {} }: Figures): readonly string[] {
  return Object.entries(parleyTo).map(([name, { speed }]) => `${name} ${ratio(speed)} times it`);
}

function result({ of, bound, isMet, beside, contender }: GoalResult): string {
  return `${beside ? contender : of} ${of === "cpu" ? "≤" : "≥"} ${bound} ${isMet ? "met" : "MISSED"}`;
}

function ratio({ median, min, max }: Ratio): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, column) => {
    const width = widths[column] ?? 0;
    return LEFT_ALIGNED.includes(column) ? cell.padEnd(width) : cell.padStart(width);
  });
  return padded.join("  ").trimEnd();
}

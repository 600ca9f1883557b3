import type { Ratio } from "../ratio.ts";
import type { Comparison } from "../run.ts";
import { absoluteFigures, comparedFigures } from "./figures.ts";

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
];
const widths = [5, 8, 6, 10, 19, 19, 11, 11, 8, 8];
const LEFT_ALIGNED = 4;

/** The first line of the table. */
export const tableHead: string = line(columns);

/** The lines of one comparison, a contender each. */
export function tableLines(comparison: Comparison): string {
  const compared = new Map(comparedFigures(comparison).map((one) => [one.contender, one]));
  const lines = absoluteFigures(comparison).map((one) => {
    const toRaw = compared.get(one.contender);
    return line([
      one.wire,
      one.measure,
      one.size,
      one.contender,
      toRaw ? ratio(toRaw.speed) : "",
      toRaw ? ratio(toRaw.cpu) : "",
      Math.round(one.perSecond).toLocaleString("en"),
      one.cpuSecondsPer100k.toFixed(2),
      one.p50Ms?.toFixed(3) ?? "",
      one.p99Ms?.toFixed(3) ?? "",
    ]);
  });
  return lines.join("\n");
}

function ratio({ median, min, max }: Ratio): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, column) => {
    const width = widths[column] ?? 0;
    return column < LEFT_ALIGNED ? cell.padEnd(width) : cell.padStart(width);
  });
  return padded.join("  ").trimEnd();
}

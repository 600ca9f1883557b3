import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { arch, cpus, platform, totalmem } from "node:os";
import type { Measure, Size, Wire } from "../plan.ts";
import type { Ratio } from "../ratio.ts";
import type { Comparison } from "../run.ts";
import { type AbsoluteFigures, absoluteFigures, type ComparedFigures, comparedFigures } from "./figures.ts";

/** A ratio of Parley to raw, at one measure. */
export interface MeasuredRatio extends Ratio {
  readonly wire: Wire;
  readonly measure: Measure;
  readonly size: Size;
}

/** What `--json` writes. */
export interface BenchDocument {
  readonly createdAt: string;
  readonly rounds: number;
  readonly machine: {
    readonly cpu: string;
    readonly cpus: number;
    readonly memoryGiB: number;
    readonly platform: string;
  };
  readonly versions: Readonly<Record<string, string>>;
  /** Speed of `parley` divided by that of `raw`, paired by round; higher is better. */
  readonly ratios: readonly MeasuredRatio[];
  /** The same of the contender `typed`. */
  readonly typedRatios: readonly MeasuredRatio[];
  /** CPU time of `parley` divided by that of `raw`; lower is better. */
  readonly cpuRatios: readonly MeasuredRatio[];
  readonly absolute: readonly AbsoluteFigures[];
}

/** Puts all figures together. */
export function benchDocument(comparisons: readonly Comparison[], rounds: number): BenchDocument {
  const compared = comparisons.flatMap(comparedFigures);
  const parley = compared.filter(({ contender }) => contender === "parley");
  const typed = compared.filter(({ contender }) => contender === "typed");
  return {
    createdAt: new Date().toISOString(),
    rounds,
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cpus: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      platform: `${platform()} ${arch()}`,
    },
    versions: versions(),
    ratios: parley.map((one) => measuredRatio(one, one.speed)),
    typedRatios: typed.map((one) => measuredRatio(one, one.speed)),
    cpuRatios: parley.map((one) => measuredRatio(one, one.cpu)),
    absolute: comparisons.flatMap(absoluteFigures),
  };
}

function measuredRatio({ wire, measure, size }: ComparedFigures, ratio: Ratio): MeasuredRatio {
  return { wire, measure, size, ...ratio };
}

const packages = [
  "@parley/core",
  "@parley/transport-ws",
  "@parley/transport-http",
  "@parley/transport-sse",
  "ws",
  "undici",
];

function versions(): Record<string, string> {
  const installed = packages.map((name) => [name, versionOf(name)]);
  return { node: process.versions.node, v8: process.versions.v8, ...Object.fromEntries(installed) };
}

function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) return "unknown";
  const { version }: { readonly version?: string } = JSON.parse(readFileSync(file, "utf8"));
  return version ?? "unknown";
}

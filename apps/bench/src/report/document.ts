import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { arch, cpus, platform, totalmem } from "node:os";
import type { Allocations } from "../allocations/allocations.ts";
import type { Footprint } from "../footprint/footprint.ts";
import { others } from "../others.ts";
import type { Profile } from "../profile/profile.ts";
import type { Figures } from "./figures.ts";
import type { GrowthFigures } from "./growth-figures.ts";

/** What a run has found. */
export interface Results {
  readonly figures: readonly Figures[];
  readonly growth: readonly GrowthFigures[];
  readonly footprints: readonly Footprint[];
  readonly allocations: readonly Allocations[];
  readonly profiles: readonly Profile[];
}

/** How it was measured. */
export interface Effort {
  /** Rounds of each measure; curves have at most five. */
  readonly rounds: number;
  /** Length of the slices of work, 1 being the full one. */
  readonly scale: number;
}

/** What `--json` writes, and `--from` reads. */
export interface BenchDocument extends Effort, Results {
  /** Of this shape of the document. */
  readonly version: 1;
  readonly createdAt: string;
  readonly machine: {
    readonly cpu: string;
    readonly cpus: number;
    readonly memoryGiB: number;
    readonly platform: string;
  };
  readonly versions: Readonly<Record<string, string>>;
}

/** Puts results together with how and where they were found. */
export function benchDocument({ rounds, scale }: Effort, results: Results): BenchDocument {
  return {
    version: 1,
    createdAt: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cpus: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      platform: `${platform()} ${arch()}`,
    },
    versions: versions(),
    rounds,
    scale,
    ...results,
  };
}

/** Reads what `--json` wrote. @throws Error when it is none, or of another version. */
export function readDocument(file: string): BenchDocument {
  const document: Partial<BenchDocument> | null = JSON.parse(readFileSync(file, "utf8"));
  if (document?.version === 1) {
    return { ...document, profiles: document.profiles ?? [] } as BenchDocument; // ours says so
  }
  throw new Error(`${file} holds no figures of this benchmark: measure anew with --json ${file}`);
}

/** Whether the figures are worth quoting: of a run of full length, with enough rounds. */
export function isQuotable({ rounds, scale }: Effort): boolean {
  return rounds >= 5 && scale === 1;
}

/** Those of raw code; the packages of Parley are of this commit. */
const libraries = ["ws", "undici", "eventsource-parser", "@grpc/grpc-js", "mqtt"];

function versions(): Record<string, string> {
  const packages = [...libraries, ...Object.values(others).map((other) => other.package)];
  const installed = packages.map((name) => [name, versionOf(name)]);
  return { node: process.versions.node, v8: process.versions.v8, ...Object.fromEntries(installed) };
}

function versionOf(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) return "unknown";
  const { version }: { readonly version?: string } = JSON.parse(readFileSync(file, "utf8"));
  return version ?? "unknown";
}

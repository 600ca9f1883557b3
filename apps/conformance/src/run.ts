import { availableParallelism } from "node:os";
import type { Manifest } from "@parley/core/transport";
import { calibrate } from "./calibrate.ts";
import { equivalence } from "./equivalence.ts";
import { hiding, secretsOf } from "./hide.ts";
import type { Profile } from "./profile.ts";
import type { Report, Result } from "./result.ts";
import type { Scenario } from "./scenario.ts";
import type { SubjectRef } from "./subjects/index.ts";
import { ownCore, type Tested, testedBy } from "./tested.ts";
import { suite } from "./version.ts";
import { runWireProcess } from "./wire-process.ts";

/** What to run. */
export interface RunOptions {
  readonly subjects: readonly SubjectRef[];
  readonly scenarios: readonly Scenario[];
  readonly seed: string;
  /** Multiplies all times. @default what {@link calibrate} finds */
  readonly timeScale?: number | undefined;
  /** How thorough to be. @default "quick" */
  readonly profile?: Profile | undefined;
  /** Where brokers are, and servers that serve the `conformanceAgent`; by scheme. No password or query in them gets into the report. */
  readonly urls?: readonly string[] | undefined;
  /** How often each scenario is run. @default 1 */
  readonly repeat?: number | undefined;
  readonly progress?: Progress | undefined;
}

/** Told as a run goes on. A wire is known by its place in `subjects`. */
export interface Progress {
  begin(names: readonly string[], scenarios: readonly Scenario[], timeScale: number): void;
  start(wire: number, scenario: string): void;
  result(wire: number, result: Result): void;
  end(): void;
}

/** Runs the scenarios on every wire, as many wires at a time as there are processors. */
export async function run(options: RunOptions): Promise<Report> {
  const { subjects, scenarios, seed, timeScale = calibrate(), repeat = 1, progress } = options;
  const { profile = "quick", urls = [] } = options;
  const startedAt = new Date();
  const start = performance.now();
  const names = subjects.map(({ name }) => name);
  const manifests: (Manifest | undefined)[] = [];
  const tested: Tested[] = subjects.map(testedBy);
  const secrets = secretsOf(urls);
  const results: Result[][] = subjects.map(() => []);
  progress?.begin(names, scenarios, timeScale);
  // Those that take longest, by brokers and child processes, stand last among the built-in ones: begun first, they end with the others.
  const waiting = [...subjects.entries()].reverse();
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [wire, ref] = next;
      await runWireProcess(ref, {
        scenarios,
        seed,
        scale: timeScale,
        profile,
        urls,
        repeat,
        onName: (name) => {
          names[wire] = name;
        },
        onManifest: (manifest) => {
          manifests[wire] = manifest;
        },
        onFound: (found) => {
          tested[wire] = { ...tested[wire], ...found };
        },
        onStart: (scenario) => progress?.start(wire, scenario),
        onResult: (told) => {
          const result = hiding(secrets, told);
          results[wire]?.push(result);
          progress?.result(wire, result);
        },
      });
    }
  };
  // Wires wait more than they compute.
  await Promise.all(Array.from({ length: Math.ceil(availableParallelism() * 1.5) }, worker));
  progress?.end();
  const columns = distinct(names);
  const promised = Object.fromEntries(
    columns.flatMap((name, wire) => (manifests[wire] ? [[name, manifests[wire]]] : [])),
  );
  const judged = results.flatMap((own, wire) =>
    own.map((result) => ({ ...result, transport: columns[wire] ?? result.transport })),
  );
  return {
    suite,
    core: ownCore(),
    seed,
    timeScale,
    profile,
    machine: { node: process.version, platform: `${process.platform} ${process.arch}`, cpus: availableParallelism() },
    startedAt: startedAt.toISOString(),
    ms: Math.round(performance.now() - start),
    transports: columns,
    tested: Object.fromEntries(columns.map((name, wire) => [name, tested[wire] ?? {}])),
    manifests: promised,
    results: judged,
    equivalence: equivalence(judged, promised),
  };
}

/** Two subjects of one name get numbers. */
function distinct(names: readonly string[]): readonly string[] {
  return names.map((name, at) => {
    const before = names.slice(0, at).filter((other) => other === name).length;
    return before === 0 ? name : `${name}-${before + 1}`;
  });
}

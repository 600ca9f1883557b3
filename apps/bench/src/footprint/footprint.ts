import { type Wire, wires } from "../plan.ts";
import { median, type Ratio } from "../ratio.ts";
import { importMs } from "./import-time.ts";
import { type Installed, installed } from "./installed.ts";

/** What a library costs before anything is sent. */
export interface Footprint extends Installed {
  /** `core`: Parley without a wire. */
  readonly wire: Wire | "core";
  readonly contender: "raw" | "parley";
  /** Time to import it in a fresh process, ms: the middle of the rounds, and the extremes. */
  readonly importMs: Ratio;
}

/** What raw code imports for a wire. */
const rawModules: Readonly<Record<Wire, readonly string[]>> = {
  stdio: ["node:child_process", "node:readline"],
  ws: ["ws"],
  http: ["node:http", "undici"],
  sse: ["node:http", "undici", "eventsource-parser"],
  grpc: ["@grpc/grpc-js", "@grpc/proto-loader"],
  mqtt: ["mqtt"],
};

/** Imports and measures what was asked for, and core. Rounds take turns as everywhere. */
export async function footprints(asked: readonly Wire[], rounds: number): Promise<readonly Footprint[]> {
  const subjects = [
    { wire: "core", contender: "parley", modules: ["@parley/core"] } as const,
    ...wires
      .filter((wire) => asked.includes(wire))
      .flatMap((wire) => [
        { wire, contender: "raw", modules: rawModules[wire] } as const,
        { wire, contender: "parley", modules: ["@parley/core", `@parley/transport-${wire}`] } as const,
      ]),
  ];
  const times = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { modules }] of subjects.entries()) times[index]?.push(await importMs(modules));
  }
  return subjects.map(({ wire, contender, modules }, index) => {
    const own = times[index] ?? [];
    const spread = { median: median(own), min: Math.min(...own), max: Math.max(...own) };
    return { wire, contender, importMs: spread, ...installed(modules.filter((name) => !name.startsWith("node:"))) };
  });
}

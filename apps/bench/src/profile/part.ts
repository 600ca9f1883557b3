import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

/**
 * What the time of a process goes into:
 * - `system`: calls of the operating system, and what else is no JavaScript.
 * - `node`: Node's own modules.
 * - `library`: the packages that are installed, above all that of the protocol.
 * - `events`: Parley's envelope: JSON, ids, checks.
 * - `calls`: the rest of Parley.
 * - `bench`: the work itself; of raw code also its JSON.
 * - `garbage`: its collection.
 */
export const parts = ["system", "node", "library", "events", "calls", "bench", "garbage"] as const;
export type Part = (typeof parts)[number];

/** Where a function is, as V8's profiles say it: from 0. */
export interface Place {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** What the time of a function belongs to: a part, a process that waits, or the taking of the profile. */
export function partOf(place: Place): Part | "waiting" | "profiling" {
  const { functionName, url } = place;
  if (functionName === "(idle)") return "waiting";
  if (url === "node:inspector") return "profiling";
  if (functionName === "(garbage collector)") return "garbage";
  if (url.startsWith("node:")) return "node";
  if (!url.startsWith("file:")) return "system";
  const source = sourceOf(place);
  if (source.includes("/apps/bench/")) return "bench";
  if (source.includes("/core/src/envelope/")) return "events";
  return source.includes("/packages/") && !source.includes("/node_modules/") ? "calls" : "library";
}

const maps = new Map<string, SourceMap | undefined>();

/** The file that a function was written in. */
function sourceOf({ url, lineNumber, columnNumber }: Place): string {
  if (!maps.has(url)) maps.set(url, readMap(url));
  const entry = maps.get(url)?.findEntry(lineNumber, columnNumber);
  return entry && "originalSource" in entry ? new URL(entry.originalSource, url).href : url;
}

function readMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, "utf8")));
  } catch {
    // A package without maps.
    return undefined;
  }
}

import type { Allocations } from "../allocations/allocations.ts";
import type { Footprint } from "../footprint/footprint.ts";
import { type BenchDocument, isQuotable } from "./document.ts";
import { type GrowthFigures, growthFactor } from "./growth-figures.ts";
import { figure, markdownTable } from "./markdown-table.ts";
import { othersTable } from "./others-table.ts";
import { curveTitles } from "./panels.ts";
import { profileTable } from "./profile-table.ts";
import { absoluteTable, missed, resilienceTable, speedTable } from "./ratio-tables.ts";

/** More than this, from the cheapest step of a curve to the last, is a cliff. */
const MAX_GROWTH = 2;

/** The page of a run. @param picture where its chart is, seen from the page */
export function markdown(document: BenchDocument, picture: string): string {
  const { figures, growth, footprints, allocations, profiles } = document;
  return `${[
    "# Performance",
    `Parley beside the raw library of each protocol, used plainly. Written by [the benchmark](../apps/bench/README.md), whose page says what is compared
and how; \`pnpm bench --docs docs\` measures anew and writes this page.`,
    machine(document),
    ...(isQuotable(document)
      ? []
      : ["> **This was a short run. It shows that the benchmark works; its figures mean nothing.**"]),
    `![Ratios of Parley to raw code, and how cost grows](${picture})`,
    ...section(
      "Speed beside raw code",
      "Parley’s speed divided by raw code’s, of events with 200 bytes of data: the median of the rounds, with the lowest and the highest. ✓ and ✗ are beside the goals. `c1`, `c64` and `c256` are requests, so many in flight; `stream` is items of server streams; `pubsub` is deliveries to four subscribers. CPU time is that of both sides and of the broker: less is better.",
      speedTable(figures, "small", ["parley", "native", "batched"]),
    ),
    ...section("The same with 16 KiB of data", "", speedTable(figures, "large", ["parley", "native", "batched"])),
    ...section(
      "With agents, contracts and typed clients",
      "As users have them, with input, output and items validated; 200 bytes of data, beside the same raw code.",
      speedTable(figures, "small", ["typed"]),
    ),
    ...section(
      "Beside other frameworks",
      "Parley’s speed divided by that of another framework in the same rounds, with 200 bytes of data: Parley’s transports by themselves, without contracts and typed clients, and the other as its documentation tells users to write it.",
      othersTable(document),
    ),
    ...section(
      "With resilience",
      "Speed with retry, breaker, bulkhead and timeout, divided by that of the same client without them.",
      resilienceTable(figures),
    ),
    ...goals(document),
    ...section(
      "By themselves",
      "Medians; they drift with the machine. Latency is of one request at a time, CPU is seconds for 100,000 calls or items on both sides and the broker, memory is the most that both sides have held.",
      absoluteTable(figures),
    ),
    ...section("Where the time goes", profileWords, profileTable(profiles)),
    ...section("How cost grows", growthWords, growthTable(growth)),
    ...section(
      "Import and size",
      "Time to import in a fresh process, with what is installed: packages and all that they depend on.",
      footprintTable(footprints),
    ),
    ...section(
      "Allocations",
      "Bytes that both sides together allocate on their heaps for one small request and its reply, and for one item of a stream; of stdio the caller’s side. CI watches those of Parley.",
      allocationTable(allocations),
    ),
  ].join("\n\n")}\n`;
}

const profileWords = `Time that both processes spend on one call, item or delivery, by samples of what they do, in µs: in the system's calls, in Node, in the
protocol's library, in events (JSON, ids, checks), in the rest of Parley, in the work of the benchmark (with raw code, its JSON too), in collecting garbage;
and how much of the time the calling and the serving process wait. Of stdio the caller alone is seen, of mqtt not the broker.`;

const growthWords = `Time of one call, delivery or item in µs, at the first step, the cheapest and the last, and how many times the cheapest the last one costs; of
bytes, that is of the cost of one byte. More than ${MAX_GROWTH} is marked. A single call in flight pays for the way there and back alone.
MiB is the memory of both sides at the last step.`;

function machine({ createdAt, rounds, machine, versions }: BenchDocument): string {
  const { node, v8: _, ...libraries } = versions;
  const list = Object.entries(libraries).map(([name, version]) => `${name} ${version}`);
  return `Measured on ${createdAt.slice(0, 10)}: ${machine.cpus} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.platform}, Node ${node}, loopback, ${rounds} rounds;
${list.join(", ")}.`;
}

function section(title: string, words: string, table: string): readonly string[] {
  return table === "" ? [] : [`## ${title}`, ...(words === "" ? [] : [words]), table];
}

function goals({ figures }: BenchDocument): readonly string[] {
  const lines = missed(figures);
  return lines.length === 0 ? [] : ["## Goals that were missed", lines.map((line) => `- ${line}`).join("\n")];
}

function growthTable(growth: readonly GrowthFigures[]): string {
  const rows = growth.map((one) => {
    const { wire, curve, contender, points, ended } = one;
    const factor = growthFactor(one);
    const costs = points.map(({ elapsedUs }) => elapsedUs);
    return [
      wire,
      curveTitles[curve],
      contender,
      [points[0], points.at(-1)].map((point) => point?.at.toLocaleString("en") ?? "–").join(" → "),
      figure(costs[0]),
      figure(costs.length === 0 ? undefined : Math.min(...costs)),
      figure(costs.at(-1)),
      factor === undefined ? "–" : `${factor.toFixed(2)}${factor > MAX_GROWTH ? " ✗" : ""}`,
      figure(points.at(-1)?.residentMiB),
      ended ?? "",
    ];
  });
  return markdownTable(["", "", "", "steps", "first", "cheapest", "last", "growth", "MiB", "ended by"], rows);
}

function footprintTable(footprints: readonly Footprint[]): string {
  const rows = footprints.map(({ wire, contender, importMs, packages, bytes }) => [
    wire,
    contender,
    `${figure(importMs.median)} (${figure(importMs.min)}–${figure(importMs.max)})`,
    String(packages),
    figure(bytes / 1024),
  ]);
  return markdownTable(["", "", "import ms", "packages", "KiB"], rows);
}

function allocationTable(allocations: readonly Allocations[]): string {
  const rows = allocations.map(({ wire, contender, requestBytes, itemBytes }) => [
    wire,
    contender,
    figure(requestBytes),
    figure(itemBytes),
  ]);
  return markdownTable(["", "", "bytes a request", "bytes an item"], rows);
}

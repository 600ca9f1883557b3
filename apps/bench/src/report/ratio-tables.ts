import { others } from "../others.ts";
import { type ContenderName, contenders, type Measure, measures, type Size, type Wire, wires } from "../plan.ts";
import type { Ratio } from "../ratio.ts";
import type { Figures } from "./figures.ts";
import { RESILIENT, resultsOf } from "./goals.ts";
import { figure, markdownTable } from "./markdown-table.ts";

/** Speed of one kind of contender to raw code, at all measures, and CPU time at 64 in flight. */
export function speedTable(all: readonly Figures[], size: Size, names: readonly ContenderName[]): string {
  const rows = rowsOf(all, size, names).map(({ title, of }) => [
    title,
    ...measures.map((measure) => speedCell(of(measure))),
    cpuCell(of("c64")),
  ]);
  return markdownTable(["", ...measures, "CPU at c64"], rows);
}

/** Speed with policies beside the same without. */
export function resilienceTable(all: readonly Figures[]): string {
  const rows = rowsOf(all, "small", ["resilient"]).map(({ wire, of }) => [
    wire,
    ...measures.map((measure) => {
      const speed = of(measure)?.toTyped?.speed;
      return speed ? `${spread(speed)} ${mark(speed.median >= RESILIENT, `≥ ${RESILIENT}`)}` : "";
    }),
  ]);
  return markdownTable(["", ...measures], rows);
}

/** What each contender does by itself: throughput, CPU time, latency, memory. */
export function absoluteTable(all: readonly Figures[]): string {
  const rows = rowsOf(all, "small", contenders).map(({ wire, contender, of }) => {
    const peaks = all.filter((one) => one.wire === wire && one.contender === contender).map(({ peakMiB }) => peakMiB);
    const { p50Ms, p99Ms } = of("c1") ?? {};
    return [
      wire,
      contender,
      figure(p50Ms),
      figure(p99Ms),
      ...(["c64", "c256", "stream", "pubsub"] as const).map((measure) =>
        of(measure) ? figure(of(measure)?.perSecond) : "",
      ),
      figure(of("c64")?.cpuSecondsPer100k),
      figure(of("stream")?.cpuSecondsPer100k),
      peaks.includes(null) ? "–" : figure(Math.max(...peaks.map(Number))),
    ];
  });
  const head = [
    "",
    "",
    "p50 ms",
    "p99 ms",
    "c64 /s",
    "c256 /s",
    "stream /s",
    "pubsub /s",
    "CPU c64",
    "CPU stream",
    "peak MiB",
  ];
  return markdownTable(head, rows);
}

/** The goals that were missed, a line each. */
export function missed(all: readonly Figures[]): readonly string[] {
  return all
    .flatMap(resultsOf)
    .filter(({ isMet }) => !isMet)
    .map(({ wire, contender, measure, size, of, reached, bound, beside }) => {
      const sought = of === "cpu" ? `CPU ≤ ${bound}` : `≥ ${bound}`;
      const times = beside ? ` × ${others[beside].title}` : "";
      return `${rowTitle(wire, contender)}, ${measure}, ${size}: ${reached.toFixed(2)}${times}, and the goal is ${sought}`;
    });
}

interface Row {
  readonly wire: Wire;
  readonly contender: ContenderName;
  readonly title: string;
  of(measure: Measure): Figures | undefined;
}

function rowsOf(all: readonly Figures[], size: Size, names: readonly ContenderName[]): readonly Row[] {
  return wires.flatMap((wire) =>
    names.flatMap((contender) => {
      const own = all.filter((one) => one.wire === wire && one.contender === contender && one.size === size);
      if (own.length === 0) return [];
      return [
        {
          wire,
          contender,
          title: rowTitle(wire, contender),
          of: (measure) => own.find((one) => one.measure === measure),
        },
      ];
    }),
  );
}

/** Wires with other ways of Parley than that of `parley` have a row for each. */
export function rowTitle(wire: Wire, contender: ContenderName): string {
  return contender === "native" || contender === "batched" ? `${wire}, ${contender}` : wire;
}

function speedCell(figures: Figures | undefined): string {
  if (!figures?.toRaw) return "";
  const goal = resultsOf(figures).find(({ of }) => of === "speed");
  return [spread(figures.toRaw.speed), ...(goal ? [mark(goal.isMet, `≥ ${goal.bound}`)] : [])].join(" ");
}

function cpuCell(figures: Figures | undefined): string {
  if (!figures?.toRaw) return "";
  const goal = resultsOf(figures).find(({ of }) => of === "cpu");
  return [spread(figures.toRaw.cpu), ...(goal ? [mark(goal.isMet, `≤ ${goal.bound}`)] : [])].join(" ");
}

export function spread({ median, min, max }: Ratio): string {
  return `**${median.toFixed(2)}** (${min.toFixed(2)}–${max.toFixed(2)})`;
}

export function mark(isMet: boolean, goal: string): string {
  return isMet ? `✓ ${goal}` : `✗ ${goal}`;
}

import { type Arrow, isArrow, type Row } from "./rows.ts";

/** A call under way at whoever answers it: a bar on their line. */
export interface Bar {
  readonly who: string;
  readonly wire: string;
  readonly top: number;
  readonly bottom: number;
  /** How many other calls they had under way when it began. */
  readonly depth: number;
}

/** Where everything is, in pixels from the top left. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Of each row, the line it is drawn on. */
  readonly ys: readonly number[];
  readonly xs: ReadonlyMap<string, number>;
  readonly bars: readonly Bar[];
  /** Where the lines of the participants begin, and where each of them ends. */
  readonly top: number;
  readonly ends: ReadonlyMap<string, number>;
}

export const box = { width: 112, height: 42, top: 104 } as const;
export const margin = 20;
/** The column of the times. */
export const times = 50;
const gap = 154;
const rowHeight = 25;
const incidentHeight = 38;

/** Places rows below each other and participants side by side. */
export function layoutOf(rows: readonly Row[], participants: readonly string[]): Layout {
  const top = box.top + box.height;
  let y = top + 6;
  const ys = rows.map((row) => {
    y += isArrow(row) ? rowHeight : incidentHeight;
    return y - (isArrow(row) ? 0 : incidentHeight / 2 - 6);
  });
  const bottom = y + rowHeight;
  const first = margin + times + box.width / 2;
  const ends = new Map(participants.map((name) => [name, bottom]));
  for (const [index, row] of rows.entries()) if (row.kind === "killed") ends.set(row.who, ys[index] ?? bottom);
  return {
    width: first + gap * (participants.length - 1) + box.width / 2 + margin,
    height: bottom + box.height + margin,
    ys,
    xs: new Map(participants.map((name, index) => [name, first + gap * index])),
    bars: barsOf(rows, ys, ends),
    top,
    ends,
  };
}

function barsOf(rows: readonly Row[], ys: readonly number[], ends: ReadonlyMap<string, number>): readonly Bar[] {
  const last = new Map<string, number>();
  for (const [index, row] of rows.entries()) if (isArrow(row) && row.isLast) last.set(row.call, ys[index] ?? 0);
  const bars: Bar[] = [];
  for (const [index, row] of rows.entries()) {
    if (!isArrow(row) || row.kind !== "call" || row.isLasting) continue;
    const end = last.get(row.call);
    if (end === undefined) continue;
    const top = ys[index] ?? 0;
    const depth = bars.filter((bar) => bar.who === row.to && bar.bottom > top).length;
    bars.push({ who: row.to, wire: row.wire, top, bottom: Math.min(end, ends.get(row.to) ?? end), depth });
  }
  return bars;
}

/** How far the bars of somebody reach to a side of their line, at a height. */
export function reach(layout: Layout, who: string, y: number): number {
  const depths = layout.bars
    .filter((bar) => bar.who === who && bar.top <= y && bar.bottom >= y)
    .map(({ depth }) => depth);
  return depths.length === 0 ? 0 : barWidth / 2 + Math.max(...depths) * barStep;
}

export const barWidth = 8;
export const barStep = 4;

/** Ends of an arrow at the bars that it goes between. */
export function span(layout: Layout, { from, to }: Arrow, y: number): { readonly start: number; readonly end: number } {
  const start = layout.xs.get(from) ?? 0;
  const end = layout.xs.get(to) ?? 0;
  const direction = Math.sign(end - start);
  return { start: start + direction * side(from, direction), end: end - direction * side(to, -direction) };

  // Bars lie to the right of one another: to the left, all reach as far.
  function side(who: string, towards: number): number {
    const most = reach(layout, who, y);
    return most === 0 ? 0 : towards > 0 ? most : barWidth / 2;
  }
}

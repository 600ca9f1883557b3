import type { Figures } from "./figures.ts";
import { goalsFor } from "./goals.ts";
import { colours, label, logScale, rounded } from "./svg.ts";

const LABEL_WIDTH = 200;
const VALUE_WIDTH = 165;
const ROW_HEIGHT = 20;
const BAR_HEIGHT = 12;
const GROUP_GAP = 8;
const HEAD = 34;

const ticks = [0.25, 0.5, 1, 2, 4, 8, 16];

/** Part of a chart, and how much room it takes. */
export interface Drawing {
  readonly svg: string;
  readonly height: number;
}

/**
 * Ratios to raw as bars from 1, where both are equally fast, on a logarithmic scale: small events with their spread and goal, events of 16 KiB
 * as a diamond. Contenders with types and policies are left to tables.
 */
export function bars(all: readonly Figures[], top: number, width: number): Drawing {
  const shown = all.filter(
    ({ size, contender }) => size === "small" && ["parley", "native", "batched"].includes(contender),
  );
  const groups = Map.groupBy(shown, ({ wire, contender }) => (contender === "parley" ? wire : `${wire} ${contender}`));
  const at = logScale([ticks[0] ?? 1, ticks.at(-1) ?? 1], [LABEL_WIDTH, width - VALUE_WIDTH]);
  const parts: string[] = [];
  let y = top + HEAD;
  for (const [name, figures] of groups) {
    parts.push(label(12, y + BAR_HEIGHT - 2, name, 'font-weight="600"'));
    for (const one of figures) {
      const large = all.find(
        ({ size, wire, contender, measure }) =>
          size === "large" && wire === one.wire && contender === one.contender && measure === one.measure,
      );
      parts.push(bar(one, large, y, at, width));
      y += ROW_HEIGHT;
    }
    y += GROUP_GAP;
  }
  const grid = ticks.map((tick) => {
    const x = rounded(at(tick));
    const line = tick === 1 ? `stroke="${colours.text}" stroke-width="1.5"` : `stroke="${colours.faint}"`;
    return `${label(x, top + HEAD - 12, `${tick}×`, 'text-anchor="middle" font-size="11"')}
<line x1="${x}" y1="${top + HEAD - 6}" x2="${x}" y2="${y}" ${line}/>`;
  });
  return { svg: [...grid, ...parts].join("\n"), height: y - top };
}

function bar(
  figures: Figures,
  large: Figures | undefined,
  y: number,
  at: (ratio: number) => number,
  width: number,
): string {
  const { median, min, max } = figures.toRaw?.speed ?? { median: Number.NaN, min: Number.NaN, max: Number.NaN };
  const middle = y + BAR_HEIGHT / 2;
  const [left, right] = [Math.min(at(1), at(median)), Math.max(at(1), at(median))];
  const goal = goalsFor(figures).find(({ of }) => of === "speed");
  return [
    label(118, middle + 4, figures.measure),
    `<rect x="${rounded(left)}" y="${y}" width="${rounded(right - left)}" height="${BAR_HEIGHT}" rx="2" fill="${median >= 1 ? colours.parley : colours.slower}"/>`,
    `<path d="M${rounded(at(min))} ${middle}H${rounded(at(max))}" stroke="${colours.text}"/>`,
    ...(goal
      ? [
          `<path d="M${rounded(at(goal.bound))} ${y - 3}v${BAR_HEIGHT + 6}" stroke="${colours.text}" stroke-width="2.5"/>`,
        ]
      : []),
    ...(large?.toRaw
      ? [
          `<path d="M${rounded(at(large.toRaw.speed.median))} ${middle - 4}l4 4l-4 4l-4 -4z" fill="none" stroke="${colours.text}" stroke-width="1.5"/>`,
        ]
      : []),
    label(width - 12, middle + 4, `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`, 'text-anchor="end"'),
  ].join("\n");
}

import { type Curve, curves, type Wire, wires } from "../plan.ts";
import type { Drawing } from "./bars.ts";
import type { GrowthFigures, GrowthPoint } from "./growth-figures.ts";
import { colours, label, logScale, rounded } from "./svg.ts";

const LEFT = 60;
const GAP = 56;
const PANEL_HEIGHT = 78;
const ROW_HEIGHT = 112;
const HEAD = 34;

/** What the steps of a curve count. */
export const curveTitles: Readonly<Record<Curve, string>> = {
  "in-flight": "requests in flight",
  connections: "connections",
  subscriptions: "subscriptions",
  "item-bytes": "bytes an item",
};

/** Curves in panels, a wire a row: time of one operation over the steps, both on logarithmic scales, of Parley and of raw code. */
export function panels(growth: readonly GrowthFigures[], top: number, width: number): Drawing {
  const rows = wires.filter((wire) => growth.some((one) => one.wire === wire));
  const panelWidth = (width - LEFT) / curves.length - GAP;
  const parts = curves.map((curve, column) =>
    label(LEFT + column * (panelWidth + GAP) + GAP - 12, top + 16, `time by ${curveTitles[curve]}`, 'font-size="12"'),
  );
  for (const [row, wire] of rows.entries()) {
    const y = top + HEAD + row * ROW_HEIGHT;
    parts.push(label(12, y + 12, wire, 'font-weight="600"'));
    for (const [column, curve] of curves.entries()) {
      const x = LEFT + column * (panelWidth + GAP) + GAP - 12;
      parts.push(panel(growth, wire, curve, { x, y, width: panelWidth, height: PANEL_HEIGHT }));
    }
  }
  return { svg: parts.join("\n"), height: HEAD + rows.length * ROW_HEIGHT };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function panel(growth: readonly GrowthFigures[], wire: Wire, curve: Curve, { x, y, width, height }: Box): string {
  const own = growth.filter((one) => one.wire === wire && one.curve === curve);
  const points = own.flatMap((one) => one.points);
  if (points.length === 0) return "";
  const steps = points.map(({ at }) => at);
  const costs = points.map(({ elapsedUs }) => elapsedUs);
  const [first, last] = [Math.min(...steps), Math.max(...steps)];
  // At least a factor of ten, so that noise does not look like a mountain.
  const [least, most] = [Math.min(...costs), Math.max(...costs, 10 * Math.min(...costs))];
  const across = logScale([first, last], [x, x + width]);
  const up = logScale([least, most], [y + height, y]);
  return [
    `<path d="M${rounded(x)} ${y}v${height}h${rounded(width)}" fill="none" stroke="${colours.faint}"/>`,
    label(x, y + height + 14, step(first, curve), 'font-size="10"'),
    label(x + width, y + height + 14, step(last, curve), 'font-size="10" text-anchor="end"'),
    label(x - 4, y + 8, duration(most), 'font-size="10" text-anchor="end"'),
    label(x - 4, y + height, duration(least), 'font-size="10" text-anchor="end"'),
    ...own.map(({ contender, points: line }) =>
      curveOf(line, contender === "raw" ? colours.text : colours.parley, across, up),
    ),
  ].join("\n");
}

function curveOf(
  points: readonly GrowthPoint[],
  colour: string,
  across: (at: number) => number,
  up: (cost: number) => number,
): string {
  const places = points.map(({ at, elapsedUs }) => [rounded(across(at)), rounded(up(elapsedUs))] as const);
  const dots = places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.2" fill="${colour}"/>`).join("");
  return `<polyline points="${places.map((place) => place.join(",")).join(" ")}" fill="none" stroke="${colour}" stroke-width="1.6"/>${dots}`;
}

/** Three digits at most: there is little room beside a panel. */
function duration(us: number): string {
  const [value, unit] = us >= 1e6 ? [us / 1e6, "s"] : us >= 1e3 ? [us / 1e3, "ms"] : [us, "µs"];
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
}

function step(at: number, curve: Curve): string {
  return curve === "item-bytes" && at >= 2 ** 20 ? `${Math.round(at / 2 ** 20)} MiB` : at.toLocaleString("en");
}

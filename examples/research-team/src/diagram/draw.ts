import { drawArrow, halo, ink, red, stroke } from "./arrow.ts";
import { barStep, barWidth, box, type Layout, layoutOf, margin, times } from "./layout.ts";
import { isArrow, type Row } from "./rows.ts";
import { element, text } from "./svg.ts";

/** What a picture shows beside its rows. */
export interface Picture {
  readonly title: string;
  readonly subtitle: string;
  /** Who takes part, from left to right. */
  readonly participants: readonly string[];
  /** Colours of the wires, as CSS has them. */
  readonly wires: Readonly<Record<string, string>>;
}

const faint = "#94a3b8";
const lostFill = "#fef2f2";
const againFill = "#fffbeb";
const font = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** Draws rows as a sequence diagram, in SVG: time runs down, each wire has its colour, and the line of who was killed ends there. */
export function draw(rows: readonly Row[], picture: Picture): string {
  const layout = layoutOf(rows, picture.participants);
  const { width, height } = layout;
  const head = { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" };
  const parts = [
    element("title", {}, text(picture.title)),
    element("rect", { width, height, fill: "#fff" }),
    heading(picture),
    legend(picture.wires),
    ...rows.map((row, index) => background(row, layout.ys[index] ?? 0, layout)),
    ...picture.participants.map((name) => line(name, layout)),
    ...layout.bars.map(({ who, wire, top, bottom, depth }) => {
      const x = (layout.xs.get(who) ?? 0) - barWidth / 2 + depth * barStep;
      const fill = picture.wires[wire];
      return element("rect", { x, y: top, width: barWidth, height: bottom - top, rx: 2, fill, stroke: "#fff" });
    }),
    ...rows.map((row, index) => drawRow(row, index, rows, layout, picture)),
    ...picture.participants.flatMap((name) => boxes(name, rows, layout, picture)),
  ];
  return `${element("svg", { ...head, "font-family": font, "font-size": 11.5, fill: ink }, ...parts.map((part) => `\n${part}`), "\n")}\n`;
}

function heading({ title, subtitle }: Picture): string {
  return (
    element("text", { x: margin, y: 38, "font-size": 22, "font-weight": 700 }, text(title)) +
    element("text", { x: margin, y: 60, "font-size": 13, fill: "#64748b" }, text(subtitle))
  );
}

/** The wires by colour, and the arrows by what they mean. */
function legend(wires: Picture["wires"]): string {
  const y = 84;
  const parts: string[] = [];
  let x = margin;
  const entry = (mark: string, label: string): void => {
    parts.push(
      element("g", { transform: `translate(${x} ${y})` }, mark, element("text", { x: 34, y: 4 }, text(label))),
    );
    x += 34 + label.length * 6.6 + 20;
  };
  for (const [wire, colour] of Object.entries(wires)) {
    entry(element("rect", { x: 4, y: -4, width: 22, height: 8, rx: 4, fill: colour }), wire);
  }
  entry(stroke("call", 0, 28, 0, ink), "call, publication");
  entry(stroke("item", 0, 28, 0, ink), "item of a stream");
  entry(stroke("end", 0, 28, 0, ink), "answer, end");
  entry(stroke("error", 0, 28, 0, red), "failure");
  entry(element("rect", { x: 4, y: -7, width: 22, height: 14, fill: lostFill, stroke: "#fecaca" }), "lost");
  entry(element("rect", { x: 4, y: -7, width: 22, height: 14, fill: againFill, stroke: "#fde68a" }), "done again");
  return parts.join("");
}

function line(name: string, { xs, top, ends }: Layout): string {
  const x = xs.get(name);
  return element("line", { x1: x, x2: x, y1: top, y2: ends.get(name), stroke: "#cbd5e1", "stroke-width": 1.5 });
}

/** A participant at the top and, if still there, at the bottom; with the wires on which others reach them. */
function boxes(
  name: string,
  rows: readonly Row[],
  { xs, ends, height }: Layout,
  { wires }: Picture,
): readonly string[] {
  const x = xs.get(name) ?? 0;
  const reached = new Set(rows.filter((row) => isArrow(row) && row.kind === "call" && row.to === name).map(wireOf));
  const colours = Object.entries(wires).filter(([wire]) => reached.has(wire));
  const one = (y: number): string => {
    const marks = colours.map(([wire, fill], index) => {
      const left = x - (colours.length * 44) / 2 + index * 44;
      return (
        element("rect", { x: left + 2, y: y + 25, width: 40, height: 12, rx: 6, fill }) +
        element(
          "text",
          { x: left + 22, y: y + 34.5, "font-size": 9.5, fill: "#fff", "text-anchor": "middle" },
          text(wire),
        )
      );
    });
    const left = x - box.width / 2;
    const size = { width: box.width, height: box.height };
    const label = {
      x,
      y: y + (colours.length > 0 ? 18 : 26),
      "text-anchor": "middle",
      "font-size": 14,
      "font-weight": 600,
    };
    return [
      element("rect", { x: left, y, ...size, rx: 8, fill: "#f8fafc", stroke: faint }),
      element("text", label, text(name)),
      ...marks,
    ].join("");
  };
  const bottom = height - margin - box.height;
  const isLeft = (ends.get(name) ?? 0) >= bottom;
  return isLeft ? [one(box.top), one(bottom)] : [one(box.top)];
}

function wireOf(row: Row): string {
  return isArrow(row) ? row.wire : "";
}

/** What shall be seen at once has a colour behind it. */
function background(row: Row, y: number, { width }: Layout): string {
  const fill =
    row.kind === "killed" || row.kind === "error" ? lostFill : isArrow(row) && row.isAgain ? againFill : undefined;
  return fill === undefined ? "" : element("rect", { x: 0, y: y - 18, width, height: 25, fill });
}

function drawRow(row: Row, index: number, rows: readonly Row[], layout: Layout, picture: Picture): string {
  const y = layout.ys[index] ?? 0;
  const since = ((row.at - (rows[0]?.at ?? row.at)) / 1_000).toFixed(2);
  const time = element("text", { x: margin, y: y + 1, fill: faint, "font-size": 10.5 }, text(`${since} s`));
  if (isArrow(row)) return time + drawArrow(row, y, layout, picture.wires);
  if (row.kind === "killed") return time + drawKill(row.who, row.text, y, layout);
  const { width } = layout;
  const caption = {
    x: width / 2,
    y: y + 4,
    "text-anchor": "middle",
    "font-size": 13,
    "font-weight": 600,
    fill: "#475569",
    ...halo,
    "stroke-width": 14,
  };
  return (
    element("line", { x1: margin + times, x2: width - margin, y1: y, y2: y, stroke: "#e2e8f0" }) +
    element("text", caption, text(row.text))
  );
}

function drawKill(who: string, label: string, y: number, { xs }: Layout): string {
  const x = xs.get(who) ?? 0;
  const cross = `M${x - 7} ${y - 7}l14 14m0 -14l-14 14`;
  return (
    element("path", { d: cross, stroke: red, "stroke-width": 3.5, "stroke-linecap": "round" }) +
    element("text", { x: x + 16, y: y + 4, fill: red, "font-weight": 700, ...halo }, text(label))
  );
}

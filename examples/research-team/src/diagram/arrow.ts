import { type Layout, margin, span, times } from "./layout.ts";
import type { Arrow } from "./rows.ts";
import { element, text } from "./svg.ts";

export const ink = "#1e293b";
export const red = "#dc2626";
const amber = "#b45309";
/** Width of a letter at the size of labels, on average. */
const letter = 5.7;
/** Letters that a label may have on a short arrow; on others, as many as the arrow is long. */
const minLetters = 30;

/** Attributes of text that can be read across lines. */
export const halo = { "paint-order": "stroke", stroke: "#fff", "stroke-width": 4, "stroke-linejoin": "round" } as const;

/** Draws an arrow between the lines of two participants, with what it says; the rest of that when pointed at. */
export function drawArrow(arrow: Arrow, y: number, layout: Layout, wires: Readonly<Record<string, string>>): string {
  const { start, end } = span(layout, arrow, y);
  const failed = arrow.kind === "error";
  const colour = failed ? red : (wires[arrow.wire] ?? ink);
  const more = arrow.texts.length > 1 ? `  +${arrow.texts.length - 1} more` : "";
  const over = arrow.kind === "item" && arrow.isLast ? "  ▪ end" : "";
  const room = Math.max(minLetters, Math.floor(Math.abs(end - start) / letter)) - more.length - over.length;
  const label = cut(arrow.texts[0] ?? "", room) + more + over;
  const half = (label.length * letter) / 2;
  const x = Math.min(Math.max((start + end) / 2, margin + times + half), layout.width - margin - half);
  const isCall = arrow.kind === "call";
  const fill = failed ? red : arrow.isAgain ? amber : isCall ? ink : "#475569";
  const weight = isCall || failed ? 600 : 400;
  const attributes = { x, y: y - 5, "text-anchor": "middle", fill, "font-weight": weight, ...halo };
  const told = [`${arrow.from} → ${arrow.to} over ${arrow.wire}`, ...arrow.texts].join("\n");
  return element(
    "g",
    {},
    element("title", {}, text(told)),
    stroke(arrow.kind, start, end, y, colour),
    element("text", attributes, text(label)),
  );
}

/** The line of an arrow with its head. */
export function stroke(kind: Arrow["kind"], start: number, end: number, y: number, colour: string): string {
  const back = end > start ? -1 : 1;
  const dash = kind === "end" || kind === "error" ? "5 3" : undefined;
  const width = kind === "call" ? 1.8 : 1.3;
  const shaft = {
    x1: start,
    x2: end + back * (kind === "call" ? 5 : 1),
    y1: y,
    y2: y,
    stroke: colour,
    "stroke-width": width,
  };
  const corner = `${end + back * 8}`;
  const head = `M${corner} ${y - 4}L${end} ${y}L${corner} ${y + 4}`;
  return (
    element("line", { ...shaft, "stroke-dasharray": dash }) +
    (kind === "call"
      ? element("path", { d: `${head}Z`, fill: colour })
      : element("path", { d: head, fill: "none", stroke: colour, "stroke-width": 1.5 }))
  );
}

function cut(label: string, letters: number): string {
  return label.length > letters ? `${label.slice(0, letters - 1).trimEnd()}…` : label;
}

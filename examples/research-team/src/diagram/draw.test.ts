import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import type { Message } from "../record.ts";
import { draw } from "./draw.ts";
import { layoutOf, span } from "./layout.ts";
import { isArrow, type Row, rowsOf } from "./rows.ts";

const picture = { title: "T", subtitle: "S", participants: ["a", "b", "c"], wires: { ws: "#00f", grpc: "#0f0" } };

const message = (at: number, kind: Message["kind"], from: string, to: string, call: string): Message => ({
  at,
  kind,
  from,
  to,
  wire: "ws",
  operation: "demo.op",
  call,
});
const told = [
  message(0, "request", "a", "b", "1"),
  message(1, "request", "c", "b", "2"),
  message(2, "reply", "b", "a", "1"),
  message(3, "reply", "b", "c", "2"),
];
const rows: readonly Row[] = rowsOf(told, ({ kind }) => kind);

/** The texts in a document, by a parser of XML that takes no errors. */
function textsIn(svg: string): readonly string[] {
  const parser =
    "import sys, json, xml.dom.minidom as dom; print(json.dumps([t.firstChild.data for t in dom.parseString(sys.stdin.buffer.read()).getElementsByTagName('text')]))";
  return JSON.parse(execFileSync("python3", ["-c", parser], { input: svg, encoding: "utf8" })) as string[];
}

it("whatever a message says, the picture is well-formed and says it", () => {
  const hostile = "<b>&\"'\u0000\ud800 ]]> 🙂";
  const svg = draw(
    rowsOf(told, () => hostile),
    { ...picture, title: hostile },
  );
  const texts = textsIn(svg);
  expect(texts.filter((text) => text === "<b>&\"'\ufffd\ufffd ]]> 🙂")).toHaveLength(1 + told.length);
});

it("participants are side by side in their order, and rows below each other", () => {
  const { xs, ys, width, height } = layoutOf(rows, picture.participants);
  const across = picture.participants.map((name) => xs.get(name) ?? 0);
  expect(across).toEqual(across.toSorted((one, other) => one - other));
  expect(new Set(across)).toHaveLength(3);
  expect(ys).toEqual([...ys].toSorted((one, other) => one - other));
  expect(Math.max(...across)).toBeLessThan(width);
  expect(Math.max(...ys)).toBeLessThan(height);
});

it("a call is a bar from its opening to its end, and one beside it lies to the right", () => {
  const { bars, ys } = layoutOf(rows, picture.participants);
  expect(bars).toMatchObject([
    { who: "b", top: ys[0], bottom: ys[2], depth: 0 },
    { who: "b", top: ys[1], bottom: ys[3], depth: 1 },
  ]);
});

it("arrows end at the bars, on the side that they come from", () => {
  const layout = layoutOf(rows, picture.participants);
  const [first, second] = rows.filter(isArrow);
  const b = layout.xs.get("b") ?? 0;
  expect(first && span(layout, first, layout.ys[0] ?? 0)).toEqual({ start: layout.xs.get("a"), end: b - 4 });
  expect(second && span(layout, second, layout.ys[1] ?? 0)).toEqual({ start: layout.xs.get("c"), end: b + 8 });
});

it("the line of who was killed ends there, with all that they had under way, and no box is below it", () => {
  const events = [
    told[0] as Message,
    { at: 1, kind: "killed", who: "b", text: "killed" } as const,
    message(2, "error", "b", "a", "1"),
  ];
  const killed = rowsOf(events, ({ kind }) => kind);
  const { ends, bars, ys } = layoutOf(killed, picture.participants);
  expect(ends.get("b")).toBe(ys[1]);
  expect(ends.get("a")).toBeGreaterThan(ys[2] ?? 0);
  expect(bars).toMatchObject([{ who: "b", bottom: ys[1] }]);
  const texts = textsIn(draw(killed, picture));
  expect(texts.filter((text) => text === "b")).toHaveLength(1);
  expect(texts.filter((text) => text === "a")).toHaveLength(2);
});

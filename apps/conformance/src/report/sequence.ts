import type { HistoryEntry } from "../history.ts";
import { html, type Markup } from "./markup.ts";

const WIDTH = 640;
const ROW = 26;
const TOP = 44;
const LANES = { caller: 92, wire: 340, handler: 588 } as const;
const MAX_ROWS = 80;

/** What happened, drawn: time down, the caller on the left, the handler on the right, and between them what passed on the wire. */
export function sequenceDiagram(history: readonly HistoryEntry[]): Markup {
  const rows = thinned(history);
  const height = TOP + rows.length * ROW + 16;
  return html`<svg class="sequence" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="What happened, in order">
${Object.entries(LANES).map(
  ([name, x]) =>
    html`<line class="lane lane-${name}" x1="${x}" y1="30" x2="${x}" y2="${height - 8}"/><text class="head" x="${x}" y="18">${name}</text>`,
)}${rows.map((entry, at) => row(entry, TOP + at * ROW + ROW / 2))}</svg>`;
}

function row(entry: HistoryEntry, y: number): Markup {
  const time = html`<text class="time" x="4" y="${y + 4}">${entry.at.toFixed(1)}</text>`;
  return html`<g class="event ${entry.lane}"><title>${entry.at.toFixed(2)} ms, ${entry.lane}: ${entry.what}${entry.call === undefined ? "" : ` (${entry.call})`}</title>${time}${mark(entry, y)}</g>`;
}

function mark({ lane, what, from }: HistoryEntry, y: number): Markup {
  switch (lane) {
    case "wire": {
      const [x1, x2] =
        from === "listener" ? [LANES.handler - 8, LANES.caller + 8] : [LANES.caller + 8, LANES.handler - 8];
      return html`<line class="arrow" x1="${x1}" y1="${y + 5}" x2="${x2}" y2="${y + 5}"/><path class="tip" d="M${x2} ${y + 5}l${x1 < x2 ? -7 : 7} -3.5v7Z"/><text class="label" x="${LANES.wire}" y="${y}">${cut(what, 66)}</text>`;
    }
    case "caller":
      return html`<circle cx="${LANES.caller}" cy="${y}" r="5"/><text class="start" x="${LANES.caller + 12}" y="${y + 4}">${cut(what, 60)}</text>`;
    case "handler":
      return html`<circle cx="${LANES.handler}" cy="${y}" r="5"/><text class="end" x="${LANES.handler - 12}" y="${y + 4}">${cut(what, 60)}</text>`;
    default:
      return html`<line class="across" x1="${LANES.caller - 24}" y1="${y}" x2="${LANES.handler + 24}" y2="${y}"/><text class="band" x="${LANES.wire}" y="${y + 4}">${cut(what, 70)}</text>`;
  }
}

/** At most so many rows: the beginning, and more of the end. */
function thinned(history: readonly HistoryEntry[]): readonly HistoryEntry[] {
  if (history.length <= MAX_ROWS) return history;
  const [first, last] = [history.slice(0, MAX_ROWS / 4), history.slice(-(MAX_ROWS * 3) / 4)];
  const left = history.length - first.length - last.length;
  return [...first, { at: last[0]?.at ?? 0, lane: "suite", what: `${left} entries left out` }, ...last];
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

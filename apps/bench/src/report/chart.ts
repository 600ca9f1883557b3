import type { BenchDocument, MeasuredRatio } from "./document.ts";

const WIDTH = 760;
const LABEL_WIDTH = 170;
const VALUE_WIDTH = 130;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 26;
const TOP = 64;
const BOTTOM = 44;

// Legible on white and on black.
const TEXT = "#768390";
const FASTER = "#2da44e";
const SLOWER = "#d4722c";

/** Draws the ratios of Parley to raw as bars with their spread, and a line at 1, where both are equally fast. */
export function chart({ ratios, rounds, machine, versions }: BenchDocument): string {
  const most = Math.max(1.5, ...ratios.map(({ max }) => max));
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / most;
  const bottom = TOP + ratios.length * ROW_HEIGHT;
  const one = LABEL_WIDTH + scale;
  const about = `Medians of ${rounds} paired rounds, with the lowest and highest. Node ${versions["node"]}, ${machine.cpus} × ${machine.cpu}, loopback.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}" width="${WIDTH}" height="${bottom + BOTTOM}" role="img" aria-label="Speed of Parley divided by that of the raw library">
<g font-family="ui-sans-serif, system-ui, sans-serif" font-size="13" fill="${TEXT}">
<text x="12" y="26" font-size="16" font-weight="600">Parley’s speed to that of the raw library</text>
<text x="${one}" y="${TOP - 12}" text-anchor="middle" font-size="12">raw = 1</text>
${ratios.map((ratio, index) => row(ratio, TOP + index * ROW_HEIGHT, scale)).join("\n")}
<line x1="${one}" y1="${TOP - 6}" x2="${one}" y2="${bottom}" stroke="${TEXT}" stroke-width="1.5" stroke-dasharray="4 3"/>
<text x="12" y="${bottom + 26}" font-size="11">${escaped(about)}</text>
</g>
</svg>
`;
}

function row({ wire, measure, size, median, min, max }: MeasuredRatio, y: number, scale: number): string {
  const middle = y + BAR_HEIGHT / 2;
  const at = (value: number): number => Math.round((LABEL_WIDTH + value * scale) * 10) / 10;
  return `<text x="12" y="${middle + 4}">${wire} · ${measure} · ${size}</text>
<rect x="${LABEL_WIDTH}" y="${y}" width="${Math.max(0, at(median) - LABEL_WIDTH)}" height="${BAR_HEIGHT}" rx="2" fill="${median >= 1 ? FASTER : SLOWER}"/>
<path d="M${at(min)} ${middle}H${at(max)}M${at(min)} ${middle - 4}v8M${at(max)} ${middle - 4}v8" stroke="${TEXT}" fill="none"/>
<text x="${WIDTH - 12}" y="${middle + 4}" text-anchor="end">${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character] ?? "");
}

import { bars } from "./bars.ts";
import type { BenchDocument } from "./document.ts";
import { panels } from "./panels.ts";
import { colours, label } from "./svg.ts";

const WIDTH = 860;
const TITLE = 44;
const FOOT = 34;

/** Draws a run: the ratios of Parley to raw, and how cost grows. */
export function chart({ figures, growth, rounds, machine, versions }: BenchDocument): string {
  const parts: string[] = [];
  let y = 0;
  if (figures.length > 0) {
    parts.push(
      title(y, "Speed of Parley to that of the raw library"),
      label(
        WIDTH - 12,
        y + 26,
        "bar: 200 bytes of data · diamond: 16 KiB · upright line: goal",
        'text-anchor="end" font-size="11"',
      ),
    );
    const drawn = bars(figures, y + TITLE, WIDTH);
    parts.push(drawn.svg);
    y += TITLE + drawn.height + FOOT;
  }
  if (growth.length > 0) {
    parts.push(
      title(y, "Cost of one call, delivery or item"),
      `<text x="${WIDTH - 12}" y="${y + 26}" text-anchor="end" font-size="11"><tspan fill="${colours.parley}">━ Parley</tspan>  ━ raw library</text>`,
    );
    const drawn = panels(growth, y + TITLE, WIDTH);
    parts.push(drawn.svg);
    y += TITLE + drawn.height;
  }
  const about = `Medians of ${rounds} paired rounds. Node ${versions["node"]}, ${machine.cpus} × ${machine.cpu}, loopback.`;
  const height = y + FOOT;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Speed of Parley beside that of the raw library of each protocol">
<g font-family="ui-sans-serif, system-ui, sans-serif" font-size="13" fill="${colours.text}">
${parts.join("\n")}
${label(12, height - 12, about, 'font-size="11"')}
</g>
</svg>
`;
}

function title(y: number, text: string): string {
  return label(12, y + 26, text, 'font-size="16" font-weight="600"');
}

/** Legible on white and on black. */
export const colours = { text: "#768390", parley: "#2da44e", slower: "#d4722c", faint: "#76839055" } as const;

/** A text of SVG. */
export function label(x: number, y: number, text: string, attributes = ""): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}"${attributes === "" ? "" : ` ${attributes}`}>${escaped(text)}</text>`;
}

/** A coordinate, no longer than it need be. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Maps a domain to a range by logarithms; what is outside comes to lie on the edge. */
export function logScale(
  [from, to]: readonly [number, number],
  [left, right]: readonly [number, number],
): (value: number) => number {
  const width = Math.log(to / from) || 1;
  return (value) => left + (right - left) * Math.min(1, Math.max(0, Math.log(value / from) / width));
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character] ?? "");
}

import { readFile } from "node:fs/promises";

/** The sonnets of Shakespeare that lie beside this program. */
export const sonnets: readonly number[] = [18, 19, 55, 60, 63, 65, 81, 107, 116];

/** The fourteen lines of a sonnet. */
export async function linesOf(sonnet: number): Promise<readonly string[]> {
  const text = await readFile(new URL(`../sonnets/${sonnet}.txt`, import.meta.url), "utf8");
  return text.trimEnd().split("\n");
}

/** The themes of which a line has a word. */
export function themesIn(text: string, themes: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const words = new Set(text.toLowerCase().match(/[a-z]+/g));
  return Object.keys(themes).filter((theme) => themes[theme]?.some((word) => words.has(word)));
}

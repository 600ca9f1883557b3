import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../published.ts";

/** Rows by columns, each cell a word. */
export interface Table {
  /** Heads the first column. */
  readonly corner: string;
  readonly columns: readonly string[];
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

const page: string = join(root, "docs/runtimes.md");

/** Puts tables between the page's marks, `<!-- <name> -->` and `<!-- end -->`. */
export async function writeTables(tables: Readonly<Record<string, Table>>): Promise<void> {
  let text = await readFile(page, "utf8");
  for (const [name, table] of Object.entries(tables)) {
    const { start, end } = findTable(text, name);
    text = `${text.slice(0, start)}${markdownOf(table)}${text.slice(end)}`;
  }
  await writeFile(page, text);
}

/** Where what was just seen differs from the page; versions of runtimes are not compared. */
export async function differencesFrom(tables: Readonly<Record<string, Table>>): Promise<string[]> {
  const text = await readFile(page, "utf8");
  return Object.entries(tables).flatMap(([name, { columns, rows }]) => {
    const { start, end } = findTable(text, name);
    const [head = [], , ...lines] = text.slice(start, end).trim().split("\n").map(cellsOf);
    return [...rows].flatMap(([row, cells]) =>
      cells.flatMap((cell, index) => {
        const column = head.indexOf(columns[index] ?? "");
        const written = lines.find(([first]) => withoutVersion(first ?? "") === withoutVersion(row))?.[column];
        return written === cell
          ? []
          : [`${row}, ${columns[index]}: ${cell}, but the page says ${written ?? "nothing"}`];
      }),
    );
  });
}

function findTable(text: string, name: string): { start: number; end: number } {
  const mark = `<!-- ${name} -->\n`;
  const start = text.indexOf(mark) + mark.length;
  const end = text.indexOf("<!-- end -->", start);
  if (start < mark.length || end < 0) throw new Error(`${page} has no place for a table: ${mark}<!-- end -->`);
  return { start, end };
}

function markdownOf({ corner, columns, rows }: Table): string {
  const lines = [
    [corner, ...columns],
    ["", ...columns].map(() => "---"),
    ...[...rows].map(([name, cells]) => [name, ...cells]),
  ];
  return `\n${lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("")}\n`;
}

function cellsOf(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function withoutVersion(row: string): string {
  return row.replace(/(\d+)\.\d+\.\d+/, "$1");
}

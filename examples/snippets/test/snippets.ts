import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const root: string = join(import.meta.dirname, "../../..");

/** The programs of a page, as files in a folder of their own. */
export interface Snippets {
  readonly folder: string;
  readonly files: readonly string[];
  /** Lines of its shell blocks. */
  readonly commands: readonly string[];
}

/**
 * Takes the TypeScript, protobuf and shell blocks out of a page. A block that begins with `// name.ts` gets that name; `replace` changes
 * the text before it is written, such as a port that may be in use.
 */
export function snippetsOf(page: string, replace: (text: string) => string = (text) => text): Snippets {
  const text = readFileSync(join(root, page), "utf8");
  const parent = join(import.meta.dirname, "../.snippets");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `${basename(page, ".md").toLowerCase()}-`));
  const blocks = [...text.matchAll(/^```(ts|sh|proto)\n(.*?)^```$/gms)].map(([, language, body = ""]) => ({
    language,
    body,
  }));
  const files = blocks
    .filter(({ language }) => language === "ts")
    .map(({ body }, index) => {
      const name = /^\/\/ (\S+\.ts)/.exec(body)?.[1] ?? `snippet-${index + 1}.ts`;
      // A module, whatever it imports: `await` stands at its top.
      writeFileSync(join(folder, name), replace(body.includes("export ") ? body : `${body}export {};\n`));
      return name;
    });
  for (const { body } of blocks.filter(({ language }) => language === "proto")) {
    writeFileSync(join(folder, /^\/\/ (\S+\.proto)/.exec(body)?.[1] ?? "snippet.proto"), body);
  }
  const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ body }) => body.trim().split("\n"));
  return { folder, files, commands: commands.map(replace) };
}

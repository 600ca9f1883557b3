import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** A page of the site: where its text is in the repository, and where it stands on the site; both relative, with `/`. */
export interface Page {
  readonly file: string;
  readonly page: string;
}

/** Every page that is written by hand: the guide, and the READMEs of the repository, of what is published and of the examples. */
export function findPages(repository: string): readonly Page[] {
  const found = (pattern: string): string[] => globSync(pattern, { cwd: repository }).map(withSlashes).sort();
  return [
    ...found("docs/**/*.md").map((file) => ({ file, page: indexed(posix.relative("docs", file)) })),
    { file: "README.md", page: "parley.md" },
    ...found("packages/*/README.md").map((file) => ({ file, page: `packages/${shortName(file)}.md` })),
    ...found("apps/{conformance,bench}/README.md").map((file) => ({ file, page: `packages/${shortName(file)}.md` })),
    ...found("examples/*/README.md").map((file) => ({ file, page: `examples/${shortName(file)}.md` })),
  ];
}

/** Writes the pages into a directory, anew, with links that hold there. What they name that is no page is looked at in the repository. */
export function writePages(repository: string, target: string, source: URL): void {
  rmSync(target, { recursive: true, force: true });
  const pages = findPages(repository);
  for (const { file, page } of pages) {
    const path = join(target, page);
    mkdirSync(dirname(path), { recursive: true });
    const text = readFileSync(join(repository, file), "utf8");
    writeFileSync(path, relinked(text, { file, page }, pages, source));
    for (const [, picture = ""] of text.matchAll(/!\[[^\]]*\]\(([^):]+)\)/g)) {
      cpSync(join(repository, dirname(file), picture), join(dirname(path), picture));
    }
  }
}

/** A page's text with each relative link led to the page that stands for what it names, or to the repository. */
export function relinked(text: string, from: Page, pages: readonly Page[], source: URL): string {
  return outsideFences(text, (prose) =>
    prose
      .replaceAll(`](${source.href}`, "](/")
      .replace(/\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)/g, (_all, path: string, fragment = "") => {
        const named = (path.startsWith("/") ? path.slice(1) : posix.join(posix.dirname(from.file), path)).replace(
          /\/$/,
          "",
        );
        if (/\.(svg|png)$/.test(named)) return `](./${path})`; // it is copied beside its page
        const page = pages.find(({ file }) => file === named || file === `${named}/README.md`);
        if (!page) return `](${new URL(named, source).href}${fragment})`;
        const link = posix.relative(posix.dirname(from.page), page.page);
        return `](${link.startsWith(".") ? link : `./${link}`}${fragment})`;
      }),
  );
}

function outsideFences(text: string, change: (prose: string) => string): string {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part) => (part.startsWith("```") ? part : change(part)))
    .join("");
}

function shortName(file: string): string {
  return posix.basename(posix.dirname(file));
}

function indexed(page: string): string {
  return page.replace(/(^|\/)README\.md$/, "$1index.md");
}

export function withSlashes(path: string): string {
  return path.replaceAll("\\", "/");
}

import { globSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join, matchesGlob, relative, sep } from "node:path";

/** What npm would install. */
export interface Installed {
  readonly packages: number;
  readonly bytes: number;
}

interface PackageJson {
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Packages and all that they depend on, each counted once. @throws Error when one is not installed. */
export function installed(names: readonly string[]): Installed {
  const found = new Map<string, number>();
  for (const name of names) collect(name, import.meta.url, found);
  return { packages: found.size, bytes: [...found.values()].reduce((sum, bytes) => sum + bytes, 0) };
}

/** @param from a module that can import it */
function collect(name: string, from: string, found: Map<string, number>): void {
  const file = locate(name, from);
  if (found.has(file)) return;
  const manifest: PackageJson = JSON.parse(readFileSync(file, "utf8"));
  found.set(file, bytesOf(dirname(file), manifest));
  for (const dependency of Object.keys(manifest.dependencies ?? {})) collect(dependency, file, found);
}

/** Path of its manifest where it really is, since pnpm installs links. */
function locate(name: string, from: string): string {
  const problem = `${name} is not installed`;
  try {
    const file = findPackageJSON(name, from);
    if (file !== undefined) return realpathSync(file);
  } catch (error) {
    throw new Error(problem, { cause: error });
  }
  throw new Error(problem);
}

/** Of an installed package all its files; of one in this repository those that would be published. */
function bytesOf(folder: string, { files = [] }: PackageJson): number {
  const own = !folder.split(sep).includes("node_modules");
  const all = own ? published(folder, files) : within(folder);
  return all.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}

function published(folder: string, patterns: readonly string[]): readonly string[] {
  const excluded = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1));
  const included = patterns.filter((pattern) => !pattern.startsWith("!"));
  return ["package.json", ...included.flatMap((pattern) => globSync(pattern, { cwd: folder }))].flatMap((entry) =>
    statSync(join(folder, entry)).isDirectory()
      ? within(join(folder, entry))
          .map((file) => join(entry, file))
          .filter((file) => !excluded.some((pattern) => matchesGlob(file, pattern)))
      : [entry],
  );
}

/** Files in a folder, without packages that are installed in it. */
function within(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .filter((file) => !file.split(sep).includes("node_modules"));
}

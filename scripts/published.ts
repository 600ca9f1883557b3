import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export const run: typeof execFile.__promisify__ = promisify(execFile);
export const root: string = join(import.meta.dirname, "..");

/** What is read of a package.json. */
export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly license?: string;
  readonly repository?: { readonly url: string; readonly directory?: string };
  readonly homepage?: string;
  readonly bugs?: { readonly url: string };
  readonly sideEffects?: unknown;
  readonly engines?: { readonly node?: string };
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A package as its tarball has it. */
export interface Packed {
  readonly tarball: string;
  /** Where its content is unpacked. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly manifest: PackageJson;
}

/** The libraries of protocols that a package may bring along. */
export const libraries: Readonly<Record<string, readonly string[]>> = {
  "@parley/auth": ["jose"],
  // The first of the two brings the second along itself.
  "@parley/transport-grpc": ["@grpc/grpc-js", "@grpc/proto-loader"],
  "@parley/transport-http": ["undici"],
  "@parley/transport-mqtt": ["mqtt"],
  "@parley/transport-sse": ["eventsource-parser", "undici"],
  "@parley/transport-stdio": ["execa"],
  // Its declarations name types of the library, which has none of its own.
  "@parley/transport-ws": ["ws"],
};

/** Directories of the packages that are published, of this repository or a clone. */
export async function publishedDirectories(repository: string = root): Promise<string[]> {
  const directories: string[] = [];
  for (const group of ["packages", "apps"]) {
    for (const entry of await readdir(join(repository, group))) {
      const directory = join(repository, group, entry);
      const manifest = await readManifest(directory);
      if (manifest !== undefined && !manifest.private) directories.push(directory);
    }
  }
  return directories;
}

/** Packs a package as it would be published, into a folder of its own in `parent`. */
export async function pack(directory: string, parent: string): Promise<Packed> {
  const target = await mkdtemp(join(parent, "package-"));
  await run("pnpm", ["pack", "--pack-destination", target], { cwd: directory });
  const [file] = (await readdir(target)).filter((entry) => entry.endsWith(".tgz"));
  if (file === undefined) throw new Error(`pnpm pack wrote no tarball for ${directory}`);
  const tarball = join(target, file);
  await run("tar", ["-xzf", tarball, "-C", target]);
  const folder = join(target, "package");
  const manifest = await readManifest(folder);
  if (manifest === undefined) throw new Error(`${tarball} has no package.json`);
  const files = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll("\\", "/"));
  return { tarball, folder, manifest, files };
}

/** Packs all that is published. */
export async function packAll(parent: string): Promise<Packed[]> {
  return atOnce(2, await publishedDirectories(), (directory) => pack(directory, parent));
}

/** The package.json of a folder, if it has one. */
export async function readManifest(folder: string): Promise<PackageJson | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageJson; // checked by the package manager already
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // fs rejects with nothing else
    throw error;
  }
}

/** The files that `exports` leads to, or one entry of it, with conditions or without. */
export function targetsOf(entry: unknown): string[] {
  if (typeof entry === "string") return [entry];
  return typeof entry === "object" && entry !== null ? Object.values(entry).flatMap(targetsOf) : [];
}

/** Does the work for each, `limit` of them at a time; the results are in the order of the inputs. */
export async function atOnce<In, Out>(
  limit: number,
  all: readonly In[],
  work: (one: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  const waiting = all.entries();
  const worker = async (): Promise<void> => {
    for (const [index, one] of waiting) results[index] = await work(one);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}

/** What a failed command said: its output, or why it could not be started. */
export function outputOf(error: unknown): string {
  const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string }; // what execFile rejects with
  return `${stdout}${stderr}`.trim() || String(error);
}

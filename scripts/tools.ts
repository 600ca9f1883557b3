import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "./published.ts";

/** Something from the registry that is run, and is no dependency of the repository. */
export interface Tool {
  /** The package, and which versions of it. */
  readonly name: string;
  readonly range: string;
  readonly bin: string;
  /** Versions of its own dependencies. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/** A tool that is there. */
export interface InstalledTool {
  readonly path: string;
  readonly version: string;
}

/** Outside the repository, since a clean clone needs the same. */
const cache: string = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "parley-tools");

/** Installs a tool with npm, unless an earlier run has; delete the folder `parley-tools` in the user's cache to have them anew. */
export async function installTool({ name, range, bin, overrides }: Tool): Promise<InstalledTool> {
  const folder = join(cache, `${name}@${range}`.replaceAll(/[^\w.@-]/g, "_"));
  if (!existsSync(folder)) {
    await mkdir(dirname(folder), { recursive: true });
    const fresh = await mkdtemp(join(cache, "installing-"));
    try {
      await writeFile(join(fresh, "package.json"), JSON.stringify({ private: true, overrides }));
      await run("npm", ["install", "--no-audit", "--no-fund", "--no-save", `${name}@${range}`], { cwd: fresh });
      await rename(fresh, folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error; // else another run was quicker
      });
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  const manifest = JSON.parse(await readFile(join(folder, "node_modules", name, "package.json"), "utf8")) as {
    version: string; // every package that was installed has one
  };
  return { path: join(folder, "node_modules/.bin", bin), version: manifest.version };
}

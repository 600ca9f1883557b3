import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const repository = join(import.meta.dirname, "../../..");
const hooks = join(import.meta.dirname, "loading-hooks.ts");

interface EntryPoint {
  /** What a program imports. */
  readonly specifier: string;
  /** A folder in which that is found. */
  readonly folder: string;
}

const entryPoints = globSync("packages/*/package.json", { cwd: repository }).flatMap((file): EntryPoint[] => {
  const manifest: { name: string; private?: boolean; exports: object } = JSON.parse(
    readFileSync(join(repository, file), "utf8"),
  );
  if (manifest.private) return [];
  const folder = dirname(join(repository, file));
  return Object.keys(manifest.exports).map((path) => ({ specifier: posix.join(manifest.name, path), folder }));
});

/** Modules that importing it loads, by their addresses. */
async function loadedBy({ specifier, folder }: EntryPoint): Promise<readonly string[]> {
  const program = `await import(${JSON.stringify(specifier)})`;
  const { stdout } = await run(process.execPath, ["--import", hooks, "--input-type=module", "--eval", program], {
    cwd: folder,
  });
  return JSON.parse(stdout);
}

function entryPoint(asked: string): EntryPoint {
  const found = entryPoints.find(({ specifier }) => specifier === asked);
  if (!found) throw new Error(`there is no entry point ${asked}`);
  return found;
}

const isOurs = (url: string): boolean => url.startsWith("file:") && !url.includes("/node_modules/");

/** What a start costs that depends on no machine's speed: Node pays for every file that it opens. */
describe("to import", () => {
  // Its own file and the one that it shares, and five of core: three entry points and what those share.
  it.each(entryPoints)("$specifier takes at most seven of our files", async (asked) => {
    const ours = (await loadedBy(asked)).filter(isOurs);
    expect(ours.length).toBeGreaterThan(0);
    expect(ours.length, ours.join("\n")).toBeLessThanOrEqual(7);
  });

  it("core takes two files, and nothing of Node", async () => {
    const loaded = await loadedBy(entryPoint("@parley/core"));
    expect(loaded.filter((url) => !isOurs(url))).toEqual([]);
    expect(loaded.length).toBeLessThanOrEqual(2);
  });

  it.each([
    ["@parley/transport-stdio", "execa", "a child is started"],
    ["@parley/transport-grpc", "@grpc/proto-loader", "a service is described"],
  ])("%s takes nothing of %s, which is loaded when %s", async (specifier, library) => {
    const loaded = await loadedBy(entryPoint(specifier));
    expect(loaded.filter((url) => url.includes(`/node_modules/${library}/`))).toEqual([]);
  });
});

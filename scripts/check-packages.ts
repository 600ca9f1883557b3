/** Packs every published package and checks what a user would install: publint, attw, the files, the ranges. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

interface PackageJson {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const folder = await mkdtemp(join(tmpdir(), "parley-pack-"));
let failures = 0;
try {
  for (const directory of await publishedDirectories()) {
    const { name, problems } = await check(directory);
    failures += problems.length;
    console.log(`${problems.length === 0 ? "ok" : "FAILED"}  ${name}`);
    for (const problem of problems) console.log(`    ${problem.trim().replaceAll("\n", "\n    ")}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

async function publishedDirectories(): Promise<string[]> {
  const directories: string[] = [];
  for (const group of ["packages", "apps"]) {
    for (const entry of await readdir(join(root, group))) {
      const directory = join(root, group, entry);
      const manifest = await readManifest(join(directory, "package.json"));
      if (manifest !== undefined && !manifest.private) directories.push(directory);
    }
  }
  return directories;
}

async function check(directory: string): Promise<{ name: string; problems: string[] }> {
  const target = await mkdtemp(join(folder, "package-"));
  await run("pnpm", ["pack", "--pack-destination", target], { cwd: directory });
  const [file] = (await readdir(target)).filter((entry) => entry.endsWith(".tgz"));
  if (file === undefined) throw new Error(`pnpm pack wrote no tarball for ${directory}`);
  const tarball = join(target, file);
  await run("tar", ["-xzf", tarball, "-C", target]);
  const packed = join(target, "package");
  const manifest = await readManifest(join(packed, "package.json"));
  if (manifest === undefined) throw new Error(`${tarball} has no package.json`);
  const problems = [
    ...checkRanges(manifest),
    ...checkFiles(await readdir(packed, { recursive: true })),
    ...(await tool("publint", ["run", tarball, "--strict"])),
    ...(await tool("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"])),
  ];
  return { name: manifest.name, problems };
}

function checkRanges(manifest: PackageJson): string[] {
  return Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })
    .filter(([name, range]) => (name.startsWith("@parley/") ? !/^\^\d+\.\d+\.\d+/.test(range) : range.includes(":")))
    .map(([name, range]) => `depends on ${name}@${range}: write workspace:^ for our own packages, catalog: for others`);
}

function checkFiles(files: readonly string[]): string[] {
  const all = new Set(files.map((file) => file.replaceAll("\\", "/")));
  const problems: string[] = [];
  for (const file of all) {
    if (/\.test\.|(^|\/)tests?\/|\.tsbuildinfo$/.test(file)) problems.push(`${file} must not be published`);
    const source = /^dist\/(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(file)?.[1];
    if (source !== undefined && !all.has(`src/${source}.ts`)) {
      problems.push(`${file} has no src/${source}.ts: delete dist and build again`);
    }
  }
  if (![...all].some((file) => /^dist\/.+\.js$/.test(file))) problems.push("dist is empty");
  return problems;
}

/** Its whole output is the problem when it fails. */
async function tool(command: string, args: readonly string[]): Promise<string[]> {
  try {
    await run(command, args, { cwd: root });
    return [];
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string }; // what execFile rejects with
    return [`${command} failed\n${stdout}${stderr}` || String(error)];
  }
}

async function readManifest(path: string): Promise<PackageJson | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as PackageJson; // checked by the package manager already
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // fs rejects with nothing else
    throw error;
  }
}

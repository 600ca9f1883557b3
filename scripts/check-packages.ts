/**
 * Packs every published package and checks what a user would install: publint, attw, the files, the ranges; and installs each beside core alone,
 * in an empty folder, to see what arrives with it. Then follows README.md with them.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { firstMinutes } from "./first-minutes.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

interface PackageJson {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A package as its tarball has it. */
interface Packed {
  readonly tarball: string;
  readonly files: readonly string[];
  readonly manifest: PackageJson;
}

/** The libraries that a package may bring along: each transport that of its protocol. */
const libraries: Readonly<Record<string, readonly string[]>> = {
  "@parley/auth": ["jose"],
  // The first of the two brings the second along itself.
  "@parley/transport-grpc": ["@grpc/grpc-js", "@grpc/proto-loader"],
  "@parley/transport-http": ["undici"],
  "@parley/transport-mqtt": ["mqtt"],
  "@parley/transport-sse": ["eventsource-parser", "undici"],
  "@parley/transport-stdio": ["execa"],
  "@parley/transport-ws": ["ws"],
};

const folder = await mkdtemp(join(tmpdir(), "parley-pack-"));
let failures = 0;
try {
  const packages = new Map<string, Packed>();
  for (const directory of await publishedDirectories()) {
    const packed = await pack(directory);
    packages.set(packed.manifest.name, packed);
    tell(packed.manifest.name, await check(packed));
  }
  const core = packages.get("@parley/core");
  for (const [name, packed] of packages) {
    if (core && Object.hasOwn(libraries, name)) tell(`${name}, installed alone`, await checkAlone(packed, core));
  }
  const tarballs = new Map([...packages].map(([name, { tarball }]) => [name, tarball]));
  const { problems, seconds } = await firstMinutes(tarballs, await mkdtemp(join(folder, "reader-")));
  tell(`README.md, followed in an empty folder, in ${seconds.toFixed(0)} s`, problems);
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

function tell(what: string, problems: readonly string[]): void {
  failures += problems.length;
  console.log(`${problems.length === 0 ? "ok" : "FAILED"}  ${what}`);
  for (const problem of problems) console.log(`    ${problem.trim().replaceAll("\n", "\n    ")}`);
}

async function pack(directory: string): Promise<Packed> {
  const target = await mkdtemp(join(folder, "package-"));
  await run("pnpm", ["pack", "--pack-destination", target], { cwd: directory });
  const [file] = (await readdir(target)).filter((entry) => entry.endsWith(".tgz"));
  if (file === undefined) throw new Error(`pnpm pack wrote no tarball for ${directory}`);
  const tarball = join(target, file);
  await run("tar", ["-xzf", tarball, "-C", target]);
  const packed = join(target, "package");
  const manifest = await readManifest(join(packed, "package.json"));
  if (manifest === undefined) throw new Error(`${tarball} has no package.json`);
  return { tarball, manifest, files: await readdir(packed, { recursive: true }) };
}

async function check({ tarball, manifest, files }: Packed): Promise<string[]> {
  return [
    ...checkRanges(manifest),
    ...checkFiles(files),
    ...(await tool("publint", ["run", tarball, "--strict"])),
    ...(await tool("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"])),
  ];
}

/** Only core and its own libraries arrive with a package, and it can be imported then. */
async function checkAlone({ tarball, manifest: { name, dependencies = {} } }: Packed, core: Packed): Promise<string[]> {
  const brought = Object.keys(dependencies).filter((one) => one !== "@parley/core");
  const allowed = libraries[name] ?? [];
  const consumer = await mkdtemp(join(folder, "consumer-"));
  await writeFile(join(consumer, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", core.tarball, tarball];
  await run("npm", install, { cwd: consumer });
  const ours = (await readdir(join(consumer, "node_modules/@parley"))).map((one) => `@parley/${one}`);
  const strangers = ours.filter((one) => one !== name && one !== "@parley/core");
  const program = `const names = Object.keys(await import(${JSON.stringify(name)})); if (names.length === 0) process.exit(1);`;
  return [
    ...brought.filter((one) => !allowed.includes(one)).map((one) => `it brings ${one} along`),
    ...strangers.map((one) => `it brings ${one} along`),
    ...(await tool(process.execPath, ["--input-type=module", "--eval", program], consumer)),
  ];
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
async function tool(command: string, args: readonly string[], cwd: string = root): Promise<string[]> {
  try {
    await run(command, args, { cwd });
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

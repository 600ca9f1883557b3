/**
 * Packs every published package and checks what a user would install: publint, attw, what package.json says, the files, the source maps, the ranges,
 * the README; and that a test pins the names of each entry point. Then follows README.md with them. What arrives with each, and where it runs, is
 * seen by consumers.ts.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, posix, relative } from "node:path";
import { firstMinutes } from "./first-minutes.ts";
import {
  atOnce,
  libraries,
  outputOf,
  type PackageJson,
  type Packed,
  pack,
  publishedDirectories,
  readManifest,
  root,
  run,
  targetsOf,
} from "./published.ts";
import { readmeProblems } from "./readme-problems.ts";

const folder = await mkdtemp(join(tmpdir(), "parley-pack-"));
let failures = 0;
try {
  const { engines } = (await readManifest(root)) ?? {};
  const tarballs = new Map<string, string>();
  await atOnce(2, await publishedDirectories(), async (directory) => {
    const packed = await pack(directory, folder);
    tarballs.set(packed.manifest.name, packed.tarball);
    tell(packed.manifest.name, await check(packed, directory, engines));
  });
  const { problems, seconds } = await firstMinutes(tarballs, await mkdtemp(join(folder, "reader-")));
  tell(`README.md, followed in an empty folder, in ${seconds.toFixed(0)} s`, problems);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

function tell(what: string, problems: readonly string[]): void {
  failures += problems.length;
  console.log(`${problems.length === 0 ? "ok" : "FAILED"}  ${what}`);
  for (const problem of problems) console.log(`    ${problem.trim().replaceAll("\n", "\n    ")}`);
}

async function check(packed: Packed, directory: string, engines: PackageJson["engines"]): Promise<string[]> {
  const { tarball, manifest, files } = packed;
  return [
    ...manifestProblems(manifest, directory, engines),
    ...rangeProblems(manifest),
    ...fileProblems(files),
    ...exportProblems(packed, directory),
    ...(await sharedProblems(packed)),
    ...(await sourceMapProblems(packed)),
    ...readmeProblems(await readFile(join(packed.folder, "README.md"), "utf8"), {
      name: manifest.name,
      options: manifest.name.includes("transport-")
        ? await readFile(join(directory, "src/options.ts"), "utf8")
        : undefined,
    }),
    ...(await tool("publint", ["run", tarball, "--strict"])),
    ...(await tool("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"])),
  ];
}

/** What the registry's page, and those who install, have of package.json. */
function manifestProblems(manifest: PackageJson, directory: string, engines: PackageJson["engines"]): string[] {
  const { type, description, keywords = [], license, repository, sideEffects, files = [] } = manifest;
  const place = relative(root, directory).replaceAll("\\", "/");
  const said: readonly (readonly [right: boolean, what: string])[] = [
    [type === "module", `type is ${type}, not module`],
    [description !== undefined && description.length > 20, "it has no description"],
    [keywords.length > 2, "it has fewer than three keywords"],
    [license === "MIT", `its license is ${license}, not MIT`],
    [repository?.directory === place, `repository.directory is ${repository?.directory}, not ${place}`],
    [
      /^git\+https:\/\/.+\.git$/.test(repository?.url ?? ""),
      `repository.url is ${repository?.url}: write git+https://….git`,
    ],
    [sideEffects === false, "sideEffects is not false"],
    [manifest.engines?.node === engines?.node, `engines.node is ${manifest.engines?.node}, not ${engines?.node}`],
    [files.length > 0, "it has no list of files"],
    [manifest.exports?.["."] !== undefined, "exports has no entry point"],
  ];
  return said.filter(([right]) => !right).map(([, what]) => what);
}

function rangeProblems({ name, dependencies = {}, peerDependencies }: PackageJson): string[] {
  const allowed = ["@parley/core", "@standard-schema/spec", ...(libraries[name] ?? [])];
  return [
    ...Object.entries({ ...dependencies, ...peerDependencies })
      .filter(([one, range]) => (one.startsWith("@parley/") ? !/^\^\d+\.\d+\.\d+/.test(range) : range.includes(":")))
      .map(([one, range]) => `depends on ${one}@${range}: write workspace:^ for our own packages, catalog: for others`),
    ...Object.keys(dependencies)
      .filter((one) => !allowed.includes(one))
      .map((one) => `it brings ${one} along`),
  ];
}

function fileProblems(files: readonly string[]): string[] {
  const all = new Set(files);
  const problems = ["LICENSE", "README.md"].filter((file) => !all.has(file)).map((file) => `${file} is missing`);
  for (const file of all) {
    if (/\.test\.|(^|\/)tests?\/|\.tsbuildinfo$/.test(file)) problems.push(`${file} must not be published`);
    const source = /^dist\/(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(file)?.[1];
    if (source !== undefined && !all.has(`src/${source}.ts`) && !isShared(file)) {
      problems.push(`${file} has no src/${source}.ts: delete dist and build again`);
    }
  }
  if (![...all].some((file) => /^dist\/.+\.js$/.test(file))) problems.push("dist is empty");
  return problems;
}

/** Whether a file is named as those that entry points share, or their maps. */
function isShared(file: string): boolean {
  return /^dist\/shared\d*\.js(\.map)?$/.test(file);
}

/** Each file that entry points share is imported by one. */
async function sharedProblems({ folder: unpacked, files }: Packed): Promise<string[]> {
  const programs = files.filter((file) => /^dist\/.+\.js$/.test(file));
  const shared = new Set(programs.filter(isShared));
  await atOnce(16, programs, async (file) => {
    for (const [, imported = ""] of (await readFile(join(unpacked, file), "utf8")).matchAll(/ from "(\..+)";$/gm)) {
      shared.delete(posix.join(dirname(file), imported));
    }
  });
  return [...shared].map((file) => `nothing imports ${file}: delete dist and build again`);
}

/** Whatever an entry point leads to is there, and a test beside its source pins its names. */
function exportProblems({ files, manifest }: Packed, directory: string): string[] {
  const all = new Set(files);
  return Object.entries({ ...manifest.exports, ...manifest.bin }).flatMap(([entry, target]) => {
    const missing = targetsOf(target).filter((file) => !all.has(posix.normalize(file)));
    // The last condition, which is everybody's who has no other.
    const main = targetsOf(target).findLast((file) => /^\.\/dist\/.+\.js$/.test(file) && entry.startsWith("."));
    const test = main?.replace(/^\.\/dist\/(.+)\.js$/, "src/$1.test.ts");
    return [
      ...missing.map((file) => `${entry} leads to ${file}, which is not there`),
      ...(test && !existsSync(join(directory, test)) ? [`no ${test} pins the names of ${entry}`] : []),
    ];
  });
}

/** A debugger, or "go to definition", finds the source of everything. */
async function sourceMapProblems({ folder: unpacked, files }: Packed): Promise<string[]> {
  const all = new Set(files);
  const compiled = files.filter((file) => /^dist\/.+(\.js|\.d\.ts)$/.test(file));
  const problems = await atOnce(16, compiled, async (file) => {
    const text = await readFile(join(unpacked, file), "utf8");
    if (isPassage(text)) return [];
    const map = /^\/\/# sourceMappingURL=(\S+)\s*$/m.exec(text)?.[1];
    const place = map && posix.join(dirname(file), map);
    if (!place || !all.has(place)) return [`${file} has no source map`];
    const { sources, sourcesContent } = JSON.parse(await readFile(join(unpacked, place), "utf8")) as {
      sources: string[]; // the format says so
      sourcesContent?: (string | null)[];
    };
    return sources
      .filter((source, index) => sourcesContent?.[index] == null && !all.has(posix.join(dirname(place), source)))
      .map((source) => `${place} leads to ${source}, which is not there`);
  });
  return problems.flat();
}

/** Whether a module only hands on what others export, so that nothing in it can be stepped into. */
function isPassage(text: string): boolean {
  return text
    .split("\n")
    .every((line) => line === "" || /^(import \{.+\} from ".+"|export \{.+\}( from ".+")?);$/.test(line));
}

/** Its whole output is the problem when it fails. */
async function tool(command: string, args: readonly string[]): Promise<string[]> {
  try {
    await run(command, args, { cwd: root });
    return [];
  } catch (error) {
    return [`${command} failed\n${outputOf(error)}`];
  }
}

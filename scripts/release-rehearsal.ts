/**
 * Rehearses a release of what is committed: in a clone, with a registry of its own on loopback. Versions and changelogs from the changesets,
 * publishing, installing into an empty project, and the conformance suite on what was installed; then the same for a change in core alone.
 * Nothing of it leaves the machine or stays on it.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { libraries, outputOf, publishedDirectories, readManifest, root, run } from "./published.ts";
import { type Registry, startRegistry } from "./registry.ts";

/** What `changeset status` says of a package. */
interface Release {
  readonly name: string;
  readonly type: "major" | "minor" | "patch" | "none";
  readonly oldVersion: string;
  readonly newVersion: string;
}

/** Groups of scenarios that show that every wire works; the whole suite is CI's. */
const GROUPS = "ENV,RR,SS";
const TIMEOUT_MS = 15 * 60_000;

const folder = await mkdtemp(join(tmpdir(), "parley-release-"));
const clone = join(folder, "clone");
let registry: Registry | undefined;
let doing = "";
try {
  await step("a clone, installed and built", async () => {
    await command("git", ["clone", "--quiet", root, clone], folder);
    // Changesets compares with this branch, whatever the clone is of.
    await command("git", ["switch", "--quiet", "--force-create", "main"], clone);
    // Commits and tags of the clone need somebody; they go with it.
    for (const [key, value] of Object.entries({ name: "Rehearsal", email: "rehearsal@localhost" }))
      await command("git", ["config", `user.${key}`, value], clone);
    await pnpm("install", "--frozen-lockfile", "--prefer-offline");
    await pnpm("run", "build");
  });
  const { npmrc } = await step("a registry on loopback", async () => {
    registry = await startRegistry(join(folder, "registry"));
    await writeFile(join(clone, ".npmrc"), registry.npmrc);
    return registry;
  });

  const first = await step("versions, changelogs, and publishing", release);
  const project = join(folder, "project");
  await step("installed into an empty project", () => install(project, npmrc));
  await step("every wire's program runs there", () => runPrograms(project));
  await step(`the suite passes there: ${GROUPS}`, () => suite(project));

  await step("a fix in core releases core alone", async () => {
    const plan = await planFor("patch");
    expectSame(names(plan), ["@parley/core"], "a patch of core releases");
  });
  const second = await step("a feature of core is no major of anything, and is released", async () => {
    const plan = await planFor("minor");
    const majors = plan.filter(({ type }) => type === "major");
    expectSame(names(majors), [], "a minor of core makes majors of");
    console.log(`    ${plan.map(({ name, newVersion, type }) => `${name} ${newVersion} (${type})`).join(", ")}`);
    const second = await release();
    const changed = [...second.keys()].filter((name) => second.get(name) !== first.get(name));
    expectSame(changed.sort(), names(plan), "against the plan, what was released is");
    return second;
  });
  const later = join(folder, "later");
  await step("installed into another empty project, with one core", async () => {
    await install(later, npmrc);
    const { version } = (await readManifest(join(later, "node_modules/@parley/core"))) ?? {};
    expectSame([version], [second.get("@parley/core")], "core is installed in");
    const nested = (await readdir(join(later, "node_modules"), { recursive: true })).filter((path) =>
      /node_modules[\\/]@parley[\\/]core$/.test(path),
    );
    expectSame(nested, [], "core is installed twice, also in");
  });
  await step("every wire's program runs there, too", () => runPrograms(later));
  console.log(`ok  ${first.size} packages were released, and nothing was published`);
} catch (error) {
  console.log(`FAILED  ${doing}\n${outputOf(error)}`);
  process.exitCode = 1;
} finally {
  await registry?.close();
  await rm(folder, { recursive: true, force: true });
}

/** Does what it says, and says so. */
async function step<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
  doing = title;
  const start = performance.now();
  const result = await work();
  console.log(`ok  ${title} (${Math.round((performance.now() - start) / 1000)} s)`);
  return result;
}

/** What the changesets of the clone would release. */
async function status(): Promise<Release[]> {
  await pnpm("exec", "changeset", "status", "--output", "status.json");
  const file = join(clone, "status.json");
  const { releases } = JSON.parse(await readFile(file, "utf8")) as { releases: Release[] }; // as changesets documents it
  await rm(file);
  return releases.filter(({ type }) => type !== "none");
}

/** What a change in core alone would release: a changeset for it takes the place of the one before. */
async function planFor(type: "patch" | "minor"): Promise<Release[]> {
  const text = `---\n"@parley/core": ${type}\n---\n\nA change that breaks no contract.\n`;
  await writeFile(join(clone, ".changeset/rehearsal.md"), text);
  return status();
}

/** The two commands of a release; the first has nothing to do when it was given before. Resolves with all versions that the registry has then. */
async function release(): Promise<ReadonlyMap<string, string>> {
  const plan = await status();
  if (plan.length > 0) {
    await pnpm("run", "release:version");
    await command("git", ["commit", "--quiet", "--all", "--message", "Release"], clone);
  }
  await pnpm("run", "release:publish");
  const versions = new Map<string, string>();
  for (const directory of await publishedDirectories(clone)) {
    const { name = "", version = "" } = (await readManifest(directory)) ?? {};
    versions.set(name, version);
    const { stdout } = await command("npm", ["view", `${name}@${version}`, "version"], clone);
    expectSame([stdout.trim()], [version], `the registry has ${name} in`);
    const planned = plan.find((one) => one.name === name);
    if (!planned) continue;
    expectSame([version], [planned.newVersion], `${name} has the version`);
    const changelog = await readFile(join(directory, "CHANGELOG.md"), "utf8");
    if (!changelog.includes(`## ${version}\n`)) throw new Error(`the changelog of ${name} does not tell of ${version}`);
  }
  return versions;
}

/** Everything, as a stranger installs it. */
async function install(project: string, npmrc: string): Promise<void> {
  await mkdir(project);
  await writeFile(join(project, ".npmrc"), npmrc);
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const packages = ["@parley/core", ...Object.keys(libraries), "@parley/conformance", "zod@4", "aedes@1"];
  await command("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages], project);
}

async function runPrograms(project: string): Promise<void> {
  const source = join(root, "examples/any-wire/src");
  await cp(source, project, { recursive: true });
  // MQTT, which needs a broker, is the suite's.
  for (const file of (await readdir(source)).filter((name) => !["round-trip.ts", "mqtt.ts"].includes(name)))
    await command(process.execPath, [file], project);
}

async function suite(project: string): Promise<void> {
  const { stdout } = await command("npx", ["--no-install", "parley-conformance", "--only", GROUPS], project);
  console.log(`    ${stdout.trim().split("\n").at(-1)}`);
}

function names(releases: readonly Release[]): string[] {
  return releases.map(({ name }) => name).sort();
}

function expectSame(found: readonly unknown[], wanted: readonly unknown[], what: string): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${what} ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

function pnpm(...args: readonly string[]): ReturnType<typeof command> {
  return command("pnpm", args, clone);
}

function command(program: string, args: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  return run(program, args, { cwd, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
}

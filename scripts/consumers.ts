/**
 * Makes projects outside the workspace from the packed packages, compiles them as users do, and runs one round trip over each wire.
 * The whole writes the tables of docs/runtimes.md; with `--quick` it is Node alone, which has to be as the page says.
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Aedes } from "aedes";
import { differencesFrom, type Table, writeTables } from "./consumers/page.ts";
import {
  createProject,
  installShared,
  type Project,
  type Resolution,
  resolutions,
  strangersIn,
  writeConfig,
} from "./consumers/project.ts";
import { type Runtime, tryWire, wires } from "./consumers/wire.ts";
import { atOnce, outputOf, type Packed, packAll, root, run } from "./published.ts";
import { installTool } from "./tools.ts";

/** A compiler and how it resolves modules. */
interface Compiler {
  readonly name: string;
  readonly path: string;
  readonly resolution: Resolution;
}

const { quick } = parseArgs({ options: { quick: { type: "boolean", default: false } } }).values;
/** Projects that are worked on at a time. */
const LIMIT = 2;

const problems: string[] = [];
const folder = await mkdtemp(join(tmpdir(), "parley-consumers-"));
const broker = await startBroker();
try {
  const [packages] = await Promise.all([packAll(folder), installShared(folder)]);
  const [compilers, runtimes] = await Promise.all([findCompilers(), findRuntimes()]);
  const projects = await atOnce(LIMIT, groupsOf(packages), async ([name, group]) => {
    const project = await createProject(name, group, folder);
    // All together every library may be there.
    if (name !== "all")
      problems.push(...(await strangersIn(project, group)).map((one) => `${name} brings ${one} along`));
    return project;
  });
  const tables = { types: await compileAll(projects, compilers), wires: await runAll(projects, runtimes) };
  if (quick)
    problems.push(
      ...(await differencesFrom(tables)).map((one) => `docs/runtimes.md: ${one}; run "pnpm run consumers"`),
    );
  else await writeTables(tables);
} finally {
  await broker.close();
  await rm(folder, { recursive: true, force: true });
}
for (const problem of problems) console.log(`FAILED  ${problem.replaceAll("\n", "\n    ")}`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Core and each package by itself; in a hurry without the suite, and without everything together. */
function groupsOf(packages: readonly Packed[]): [name: string, group: readonly Packed[]][] {
  const core = packages.filter(({ manifest }) => manifest.name === "@parley/core");
  const others = packages.filter(({ manifest: { name, bin } }) => name !== "@parley/core" && !(quick && bin));
  return [
    ["core", core],
    ...others.map((one): [string, Packed[]] => [
      one.manifest.name.replace(/^@parley\/(transport-)?/, ""),
      [...core, one],
    ]),
    ...(quick ? [] : [["all", packages] satisfies [string, readonly Packed[]]]),
  ];
}

/** Those of the repository, and the one before. In a hurry each compiler resolves in one of both ways. */
async function findCompilers(): Promise<Compiler[]> {
  const older = await installTool({ name: "typescript", range: "5.9", bin: "tsc" });
  const path = join(root, "node_modules/.bin/tsc");
  const newer = { path, version: (await run(path, ["--version"])).stdout.replace("Version", "").trim() };
  return [older, newer].flatMap(({ path, version }, index) =>
    resolutions
      .filter((_, other) => !quick || index !== other)
      .map((resolution) => ({ name: `TypeScript ${version}, ${resolution}`, path, resolution })),
  );
}

async function findRuntimes(): Promise<Runtime[]> {
  const own: Runtime = { name: "Node", version: process.versions.node, command: [process.execPath] };
  if (quick) return [own];
  const found: Runtime[] = [];
  for (const range of ["22", "26"]) {
    const { path } = await installTool({ name: "node", range, bin: "node" });
    const { stdout } = await run(path, ["--version"]);
    found.push({ name: "Node", version: stdout.trim().slice(1), command: [path] });
  }
  const bun = await installTool({ name: "bun", range: "1", bin: "bun" });
  const deno = await installTool({ name: "deno", range: "2", bin: "deno" });
  return [
    ...[own, ...found].sort((one, other) => Number.parseInt(one.version, 10) - Number.parseInt(other.version, 10)),
    { name: "Bun", version: bun.version, command: [bun.path] },
    { name: "Deno", version: deno.version, command: [deno.path, "run", "--allow-all", "--quiet"] },
  ];
}

async function compileAll(projects: readonly Project[], compilers: readonly Compiler[]): Promise<Table> {
  const rows = new Map<string, string[]>();
  for (const { name, path, resolution } of compilers) {
    const configs = projects.map((project) => join(project.folder, `tsconfig.${resolution}.json`));
    const compile = (...some: readonly string[]): Promise<string | undefined> =>
      run(path, ["--build", ...some], { cwd: folder }).then(() => undefined, outputOf);
    // In a hurry as one program, which reads once what all share; one by one when it has to be known which of them fail.
    const faultless = quick
      ? (await compile(
          await writeConfig(
            folder,
            resolution,
            projects.map((project) => `${project.name}/*.ts`),
          ),
        )) === undefined
      : (await compile(...configs)) === undefined;
    const cells = await atOnce(LIMIT, configs, async (config) => {
      const fault = faultless ? undefined : await compile(config);
      if (fault) problems.push(`${basename(dirname(config))} does not compile with ${name}\n${fault}`);
      return fault ? "no" : "yes";
    });
    tell(
      name,
      projects.map((project, index) => `${project.name} ${cells[index]}`),
    );
    rows.set(name, cells);
  }
  return { corner: "", columns: projects.map(({ name }) => name), rows };
}

/** Every entry point can be imported, and every wire is tried, on each runtime; what Node does not do is a failure. */
async function runAll(projects: readonly Project[], runtimes: readonly Runtime[]): Promise<Table> {
  const rows = new Map<string, string[]>();
  const reference = runtimes.find(({ command }) => command[0] === process.execPath);
  if (!reference) throw new Error("the runtime of this script is not among those that are tried");
  for (const runtime of runtimes) {
    const title = `${runtime.name} ${runtime.version}`;
    const verdicts = new Map<string, string>();
    await atOnce(LIMIT, projects, async (project) => {
      const [program, ...words] = runtime.command;
      const failed = (what: string, reasons: readonly string[]): void => {
        const text = [`${project.name}: ${what} on ${title}`, ...reasons].join("\n");
        if (runtime.name === "Node") problems.push(text);
        else console.log(`  ${text.replaceAll("\n", "\n    ")}`);
      };
      await run(program, [...words, "entries.ts"], { cwd: project.folder }).catch((error: unknown) => {
        failed("an entry point cannot be imported", [outputOf(error)]);
      });
      for (const wire of project.wires) {
        const { verdict, reasons } = await tryWire({ project, wire, runtime, reference, broker: broker.url });
        if (verdict !== "yes") failed(`${wire}: ${verdict}`, reasons);
        if (project.name !== "all") verdicts.set(wire, verdict);
      }
    });
    const cells = wires.map(({ name }) => verdicts.get(name) ?? "no");
    tell(
      title,
      wires.map(({ name }, index) => `${name} ${cells[index]}`),
    );
    rows.set(title, cells);
  }
  return { corner: "", columns: wires.map(({ name }) => name), rows };
}

function tell(title: string, cells: readonly string[]): void {
  console.log(`${title}: ${cells.join(", ")}`);
}

/** An MQTT broker in this process. */
async function startBroker(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const aedes = await Aedes.createBroker();
  // A broker that waits to fill packets would make each call wait.
  const server = createServer({ noDelay: true }, aedes.handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server's address is an object
  return {
    url: `mqtt://127.0.0.1:${port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      await new Promise<void>((resolve) => aedes.close(resolve));
      await closed;
    },
  };
}

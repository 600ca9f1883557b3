import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { libraries, type Packed, readManifest, root, run } from "../published.ts";
import { wires } from "./wire.ts";

/** A project that uses what was packed, in a folder of its own outside the workspace. */
export interface Project {
  readonly name: string;
  readonly folder: string;
  readonly wires: readonly string[];
}

/** How a project resolves modules. */
export const resolutions = ["nodenext", "bundler"] as const;
export type Resolution = (typeof resolutions)[number];

/** As `tsc --init` has it, but for the libraries' types, which are checked too, and programs that Node runs as they are. */
const compilerOptions: Readonly<Record<string, unknown>> = {
  target: "esnext",
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
  noEmit: true,
  allowImportingTsExtensions: true,
};

/** What a contract says is known to the compiler: were it `any`, the lines that must not compile would. */
const inference = `import { type Client, contract, request, serverStream } from "@parley/core";
import { z } from "zod";

const text = contract("text", {
  length: request({ input: z.object({ text: z.string() }), output: z.number() }),
  words: serverStream({ input: z.object({ text: z.string() }), item: z.string() }),
});

export async function use(remote: Client<typeof text>): Promise<number> {
  const length: number = await remote.length({ text: "a" });
  // @ts-expect-error
  await remote.length({ text: 1 });
  // @ts-expect-error
  remote.missing;
  for await (const word of remote.words({ text: "a b" })) {
    word.trim();
    // @ts-expect-error
    word.toFixed();
  }
  return length;
}
`;

const quiet: readonly string[] = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];

/** Installs, above all projects, what each of them has besides our packages. */
export async function installShared(parent: string): Promise<void> {
  await writeFile(join(parent, "package.json"), JSON.stringify({ private: true }));
  await run("npm", ["install", ...quiet, "zod@4", "@types/node@24"], { cwd: parent });
}

/** Makes the project: core and the packages that are given, from their tarballs, and the programs of their wires. */
export async function createProject(name: string, packages: readonly Packed[], parent: string): Promise<Project> {
  const folder = join(parent, name);
  await mkdir(folder);
  const installed = new Set(packages.map(({ manifest }) => manifest.name));
  const own = wires.filter((wire) => installed.has(wire.package));
  const source = join(root, "examples/any-wire/src");
  await Promise.all([
    writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" })),
    writeFile(join(folder, "inference.ts"), inference),
    writeFile(join(folder, "entries.ts"), entriesProgram(packages)),
    ...["round-trip", ...own.map((wire) => wire.name)].map((file) =>
      cp(join(source, `${file}.ts`), join(folder, `${file}.ts`)),
    ),
    ...resolutions.map((resolution) => writeConfig(folder, resolution, ["*.ts"])),
  ]);
  await run("npm", ["install", ...quiet, ...packages.map(({ tarball }) => tarball)], { cwd: folder });
  return { name, folder, wires: own.map((wire) => wire.name) };
}

/** Imports each entry point whole, so that all its types are checked, and fails when one is empty. */
function entriesProgram(packages: readonly Packed[]): string {
  const entries = packages.flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {})
      .filter((path) => path === "." || !/[*]|\.\w+$/.test(path))
      .map((path) => manifest.name + path.slice(1)),
  );
  const imports = entries.map((entry, index) => `import * as entry${index} from "${entry}";\n`);
  const names = entries.map((entry, index) => `["${entry}", entry${index}]`);
  return `${imports.join("")}
for (const [name, entry] of [${names.join(", ")}] as const) {
  if (Object.keys(entry).length === 0) throw new Error(\`\${name} exports nothing\`);
}
`;
}

/** Writes how files of a folder are compiled; resolves with the path of the configuration. */
export async function writeConfig(folder: string, resolution: Resolution, include: readonly string[]): Promise<string> {
  const modules =
    resolution === "nodenext" ? { module: "nodenext" } : { module: "esnext", moduleResolution: "bundler" };
  const file = join(folder, `tsconfig.${resolution}.json`);
  await writeFile(file, JSON.stringify({ compilerOptions: { ...compilerOptions, ...modules }, include }));
  return file;
}

/** Packages that arrived in a project, and ought not to have: Parley's own, and libraries of other protocols. */
export async function strangersIn({ folder }: Project, packages: readonly Packed[]): Promise<string[]> {
  const wanted = packages.map(({ manifest }) => manifest.name);
  const modules = join(folder, "node_modules");
  const ours = (await readdir(join(modules, "@parley"))).map((name) => `@parley/${name}`);
  const allowed = new Set(wanted.flatMap((name) => libraries[name] ?? []));
  // What a protocol's library needs itself is its own affair: MQTT.js speaks WebSocket, too.
  for (const library of [...allowed]) {
    const { dependencies = {} } = (await readManifest(join(modules, library))) ?? {};
    for (const name of Object.keys(dependencies)) allowed.add(name);
  }
  const all = new Set(Object.values(libraries).flat());
  const arrived = new Set(
    (await readdir(modules, { recursive: true }))
      .filter((path) => path.endsWith("package.json"))
      .map((path) => /(?:^|node_modules[\\/])((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]package\.json$/.exec(path)?.[1] ?? ""),
  );
  return [
    ...ours.filter((name) => !wanted.includes(name)),
    ...[...arrived].filter((name) => all.has(name) && !allowed.has(name)),
  ];
}

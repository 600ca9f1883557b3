/**
 * Builds the package in the working directory into `dist`: its JavaScript as a file for each entry point of package.json and those that entry
 * points share, so that a program loads few files and each class once; its declarations as `tsc` writes them, a file for each source.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { build } from "rolldown";
import { readManifest, targetsOf } from "./published.ts";

/** Less than this, in bytes of sources, is no file of its own: it joins what more entry points share, since to open a file takes as long as to parse that. */
const MIN_SHARED_BYTES = 32_000;

await rm("dist", { recursive: true, force: true });
const [exitCode] = await Promise.all([writeDeclarations(), bundle()]);
process.exitCode = exitCode;

async function writeDeclarations(): Promise<number> {
  const compiler = spawn("tsc", ["-p", "tsconfig.build.json", "--emitDeclarationOnly"], { stdio: "inherit" });
  const [code] = (await once(compiler, "exit")) as [number | null]; // by Node's docs
  return code ?? 1;
}

async function bundle(): Promise<void> {
  await build({
    input: await entryPoints(),
    external: (id) => !id.startsWith(".") && !isAbsolute(id),
    platform: "neutral",
    transform: { target: "es2023" }, // as tsconfig.base.json has it
    output: {
      chunkFileNames: "shared.js",
      sourcemap: true,
      sourcemapExcludeSources: true,
      minifyInternalExports: false,
      codeSplitting: {
        groups: [
          { name: "shared", minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: MIN_SHARED_BYTES },
        ],
      },
    },
  });
}

/** Sources of the files that `exports` leads to, by their names in `dist`. */
async function entryPoints(): Promise<Record<string, string>> {
  const { exports } = (await readManifest(".")) ?? {};
  const names = targetsOf(exports).flatMap((file) => /^\.\/dist\/(.+)\.js$/.exec(file)?.[1] ?? []);
  return Object.fromEntries(names.map((name) => [name, `./src/${name}.ts`]));
}

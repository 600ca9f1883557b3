import { join } from "node:path";
import { build, type Metafile } from "esbuild";

const folder: string = join(import.meta.dirname, "..");

/** A program for pages, in one file. */
export interface Bundle {
  readonly text: string;
  readonly bytes: number;
  readonly metafile: Metafile;
}

/** Bundles a program as a user of esbuild does; without other settings it takes the packages as browsers get them. */
export async function bundle(source: string, { minify = false } = {}): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: join(folder, "src"), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "browser",
    minify,
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const [{ text, contents }] = outputFiles as [(typeof outputFiles)[0]]; // one entry, one file
  return { text, bytes: contents.length, metafile };
}

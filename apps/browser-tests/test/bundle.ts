import { join } from "node:path";
import { build } from "esbuild";

const own: string = join(import.meta.dirname, "../src");

/** A program for pages, in one file. */
export interface Bundle {
  readonly text: string;
  readonly bytes: number;
}

/** How a program is bundled. */
export interface BundleOptions {
  readonly minify?: boolean;
  /** Where its imports are looked up. @default this package's sources */
  readonly folder?: string;
}

/** Bundles a program as a user of esbuild does; without other settings it takes the packages as browsers get them. */
export async function bundle(source: string, { minify = false, folder = own }: BundleOptions = {}): Promise<Bundle> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: folder, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "browser",
    minify,
    write: false,
    logLevel: "silent",
  });
  const [{ text, contents }] = outputFiles as [(typeof outputFiles)[0]]; // one entry, one file
  return { text, bytes: contents.length };
}

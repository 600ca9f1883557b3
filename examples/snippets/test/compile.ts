import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Snippets } from "./snippets.ts";

const run = promisify(execFile);

/** Type-checks the files of a folder as in a user's project, with what `tsc --init` turns on. */
export async function compile({ folder, files }: Pick<Snippets, "folder" | "files">): Promise<void> {
  const tsc = join(import.meta.dirname, "../../../node_modules/.bin/tsc");
  const flags =
    "--noEmit --strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --skipLibCheck --module nodenext --target es2023 --lib es2024,esnext.disposable --types node --allowImportingTsExtensions --ignoreConfig";
  await run(tsc, [...flags.split(" "), ...files], { cwd: folder }).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
}

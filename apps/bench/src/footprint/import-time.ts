import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Time that a fresh process takes to import modules, one after the other, ms. @throws Error when one cannot be imported. */
export async function importMs(modules: readonly string[]): Promise<number> {
  const here = import.meta.url;
  const program = new URL(here.endsWith(".ts") ? "./import-child.ts" : "./import-child.js", here);
  const { stdout } = await run(process.execPath, [fileURLToPath(program), ...modules]);
  return Number(stdout);
}

import { fileURLToPath } from "node:url";
import type { ContenderName } from "../plan.ts";

/** What starts the serving side of a contender over stdio: the calling side does, as its child. */
export function stdioCommand(name: ContenderName): [program: string, ...args: string[]] {
  const here = import.meta.url;
  const program = new URL(here.endsWith(".ts") ? "../process/stdio-child.ts" : "../process/stdio-child.js", here);
  return [process.execPath, fileURLToPath(program), name];
}

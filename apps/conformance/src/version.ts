import { readFileSync } from "node:fs";

/** Name and version of the suite, as its package says. */
export const suite: { readonly name: string; readonly version: string } = readPackage();

function readPackage(): { name: string; version: string } {
  const { name, version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    name: string;
    version: string;
  }; // our own
  return { name, version };
}

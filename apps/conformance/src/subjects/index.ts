import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A wire to test: where its module is, and what to call it before that is loaded. */
export interface SubjectRef {
  readonly name: string;
  /** URL of the module that exports the subject. */
  readonly module: string;
}

/** Names of the subjects that come with the suite. */
export const builtIn = ["memory", "ws", "http"] as const;

/**
 * The subject that a user means: a built-in name, or the path of a module of their own.
 * @throws RangeError for what is neither, with what there is.
 */
export function subjectRef(name: string, directory: string): SubjectRef {
  if (builtIn.some((one) => one === name)) {
    const here = import.meta.url;
    return { name, module: new URL(`./${name}${here.endsWith(".ts") ? ".ts" : ".js"}`, here).href };
  }
  const path = resolve(directory, name);
  if (existsSync(path) && /\.[cm]?[jt]s$/.test(name))
    return { name: basename(path).replace(/\.[cm]?[jt]s$/, ""), module: pathToFileURL(path).href };
  throw new RangeError(
    `there is no transport ${JSON.stringify(name)}: built in are ${builtIn.join(", ")}; for one of your own give the path of a module that exports its subject, as in --transport ./my-wire.ts`,
  );
}

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ForeignProgram } from "../subject.ts";
import { type InstalledPackage, identified, nearestPackage } from "./package.ts";
import { builtIn, builtInRef, declaredRef } from "./project.ts";

export { builtIn };

/** A wire to test: where its module is, and what to call it before that is loaded. */
export interface SubjectRef {
  readonly name: string;
  /** URL of the module that exports the subject; or of the directory of a program in another language. */
  readonly module: string;
  /** The package that the transport is from; absent if it is not installed, is a program, or is in none that has a name and a version. */
  readonly package?: InstalledPackage | undefined;
  /** The program, if the subject is one. */
  readonly program?: ForeignProgram;
}

/**
 * The subject that a program in another language is.
 * @param line the command, its words separated by spaces; a word with spaces stands in quotes.
 * @throws RangeError for an empty one.
 */
export function commandRef(line: string, directory: string): SubjectRef {
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, one, other, bare]) => one ?? other ?? bare ?? "",
  );
  const [command, ...args] = words;
  if (command === undefined) throw new RangeError("--command names no program");
  return programRef({ command, args, directory });
}

function programRef(program: ForeignProgram): SubjectRef {
  const name = basename(program.args.at(-1) ?? program.command).replace(/\.\w+$/, "");
  return { name, module: pathToFileURL(program.directory).href, program };
}

/** `{ "command": ["python3", "peer.py"] }`, started where the file is. */
function readProgram(path: string): SubjectRef {
  const { command: words } = JSON.parse(readFileSync(path, "utf8")) as { command?: unknown };
  if (!Array.isArray(words) || words.length === 0 || !words.every((word) => typeof word === "string"))
    throw new RangeError(`${path} must have a "command": a list of a program and its arguments`);
  const [command, ...args] = words as [string, ...string[]]; // just checked
  return programRef({ command, args, directory: dirname(path) });
}

/**
 * The subject that a user means: a built-in name, the name of an installed package that declares one, or the path of a module of their own.
 * @throws RangeError for what is none of these, with what there is.
 */
export function subjectRef(name: string, directory: string): SubjectRef {
  const known = builtIn.find((one) => one === name);
  if (known) return builtInRef(known, directory);
  const path = resolve(directory, name);
  if (existsSync(path) && /\.[cm]?[jt]s$/.test(name)) return moduleRef(path);
  if (existsSync(path) && path.endsWith(".json")) return readProgram(path);
  const declared = /^(@[\w.-]+\/)?[\w-][\w.-]*$/.test(name) ? declaredRef(name, directory) : undefined;
  if (declared) return declared;
  throw new RangeError(
    `there is no transport ${JSON.stringify(name)}: built in are ${builtIn.join(", ")}; for one of your own give the path of a module that exports its subject, as in --transport ./my-wire.ts`,
  );
}

function moduleRef(path: string): SubjectRef {
  const own = nearestPackage(dirname(path));
  return {
    name: basename(path).replace(/\.[cm]?[jt]s$/, ""),
    module: pathToFileURL(path).href,
    package: own && identified(own),
  };
}

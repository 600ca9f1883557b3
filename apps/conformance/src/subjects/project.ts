import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SubjectRef } from "./index.ts";
import { identified, installedPackage, nearestPackage, type PackageDirectory } from "./package.ts";
import { madeWith } from "./transport-package.ts";

/** Names of the subjects that come with the suite. */
export const builtIn = ["memory", "ws", "http", "sse", "grpc", "mqtt", "stdio"] as const;

/** The package that a built-in subject is of. */
export function packageNameOf(name: (typeof builtIn)[number]): string {
  return name === "memory" ? "@parley/core" : `@parley/transport-${name}`;
}

/** The built-in wires whose servers these addresses are: with one of them named, there is nothing else to run. */
export function wiresServedAt(urls: readonly string[]): readonly string[] {
  const schemes = urls.map((url) => new URL(url).protocol.slice(0, -1));
  // At the addresses of MQTT stand brokers.
  const served = builtIn.filter((name) => name !== "mqtt" && name !== "memory");
  return served.filter((name) => schemes.includes(name) || schemes.includes(`${name}s`));
}

/** What a project has to be tested. */
export interface FoundSubjects {
  readonly subjects: readonly SubjectRef[];
  /** Names of packages that the suite has subjects for and the project has not installed. */
  readonly absent: readonly string[];
}

/**
 * The transports of the project in this directory: the built-in ones that are installed, the reference first; those that its dependencies declare;
 * and that which it declares itself.
 * @throws RangeError when a package declares a subject that is not there.
 */
export function findSubjects(directory: string): FoundSubjects {
  const project = nearestPackage(resolve(directory));
  const known = builtIn.map((name) => builtInRef(name, directory));
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = project?.file ?? {};
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies });
  const declared = [
    ...names.map((name) => declaredRef(name, project?.directory ?? directory)),
    project && declaredBy(project),
  ];
  return {
    subjects: [...known.filter((ref) => ref.package), ...declared.filter((ref) => ref !== undefined)],
    absent: builtIn.filter((_, at) => !known[at]?.package).map(packageNameOf),
  };
}

/** With the package that the project has; else with one beside the suite; without one, what is blocked for want of it. */
export function builtInRef(name: (typeof builtIn)[number], directory: string): SubjectRef {
  const here = import.meta.url;
  const module = new URL(`./${name}${here.endsWith(".ts") ? ".ts" : ".js"}`, here);
  const packageName = packageNameOf(name);
  const suite = dirname(fileURLToPath(here));
  const beside = installedPackage(packageName, suite);
  // The reference is the suite's own.
  const found = name === "memory" ? beside : installedPackage(packageName, resolve(directory));
  if (!found || found.directory === beside?.directory)
    return { name, module: module.href, package: beside && identified(beside) };
  const made = madeWith(module, entryOf(packageName, resolve(directory)));
  return { name, module: made.href, package: identified(found) };
}

function entryOf(packageName: string, from: string): URL {
  try {
    return pathToFileURL(createRequire(`${from}/`).resolve(packageName));
  } catch (cause) {
    throw new RangeError(`${packageName} is there for ${from}, but not complete: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * The subject that an installed package declares in its `package.json`, as `"parley": { "subject": "./conformance.js" }`; nothing if it
 * declares none.
 * @throws RangeError when there is no such file in it.
 */
export function declaredRef(name: string, directory: string): SubjectRef | undefined {
  const found = installedPackage(name, directory);
  return found && declaredBy(found);
}

function declaredBy(found: PackageDirectory): SubjectRef | undefined {
  const { directory, file } = found;
  const subject = file.parley?.subject;
  if (subject === undefined) return undefined;
  const path = typeof subject === "string" ? resolve(directory, subject) : undefined;
  if (path === undefined || !existsSync(path)) {
    throw new RangeError(
      `${resolve(directory, "package.json")} declares the subject ${JSON.stringify(subject)}, and there is no such file: parley.subject is the path of a module in the package`,
    );
  }
  const name = basename(file.name ?? directory);
  return { name, module: pathToFileURL(path).href, package: identified(found) };
}

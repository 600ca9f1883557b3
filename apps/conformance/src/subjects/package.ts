import { existsSync, readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** An installed package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
}

/** A package's `package.json`, as far as the suite reads it. */
export interface PackageFile {
  readonly name?: string;
  readonly version?: string;
  readonly parley?: { readonly subject?: unknown };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A directory with a `package.json`, and that. */
export interface PackageDirectory {
  readonly directory: string;
  readonly file: PackageFile;
}

/** The package that a directory belongs to; nothing where there is none above it. */
export function nearestPackage(directory: string): PackageDirectory | undefined {
  const path = join(directory, "package.json");
  if (existsSync(path)) return { directory, file: read(path) };
  const above = dirname(directory);
  return above === directory ? undefined : nearestPackage(above);
}

/**
 * The package of that name as a module in this directory would get it; nothing where it is not installed.
 * @throws RangeError where a `package.json` on the way is none
 */
export function installedPackage(name: string, directory: string): PackageDirectory | undefined {
  try {
    const found = findPackageJSON(name, pathToFileURL(`${directory}/`));
    return found === undefined ? undefined : { directory: dirname(found), file: read(found) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // what Node's resolution fails with
    if (code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw new RangeError(`${name} cannot be looked for from ${directory}: ${message}`, { cause: error });
  }
}

/** Name and version of a package; nothing if it lacks one of them, as a program of one's own may. */
export function identified({ directory, file: { name, version } }: PackageDirectory): InstalledPackage | undefined {
  return name === undefined || version === undefined ? undefined : { name, version, directory };
}

/** @throws RangeError for a file that is no JSON. */
function read(path: string): PackageFile {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as PackageFile; // npm has read it before; the rest is looked at where it is used
  } catch (cause) {
    throw new RangeError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

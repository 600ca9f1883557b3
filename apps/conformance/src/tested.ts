import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { FoundBroker } from "./brokers/broker.ts";
import type { SubjectRef } from "./subjects/index.ts";
import { installedPackage } from "./subjects/package.ts";

/** A package, or a program, and its version. */
export interface Version {
  readonly name: string;
  readonly version: string;
}

/** What stands behind one column of a report. */
export interface Tested {
  /** The package that the transport is from; absent for a program in another language, and for a module that is in none. */
  readonly package?: Version;
  /** Version of `@parley/core` that this package runs on, where it has one. */
  readonly core?: string;
  /** The broker between the two sides. Its version is absent where it does not tell. */
  readonly broker?: FoundBroker;
  /** The server of the user's own that was on the other side; without user, password and query. */
  readonly server?: { readonly url: string; readonly tapped: boolean };
}

/** What is found when it is run. */
export type Found = Pick<Tested, "broker" | "server">;

/** What is known of a wire before it is run. */
export function testedBy({ package: own }: SubjectRef): Tested {
  if (!own) return {};
  const { name, version, directory } = own;
  const core = name === CORE ? version : installedPackage(CORE, directory)?.file.version;
  return { package: { name, version }, ...(core === undefined ? {} : { core }) };
}

/** Version of the core that the suite itself runs on. */
export function ownCore(): string {
  return installedPackage(CORE, dirname(fileURLToPath(import.meta.url)))?.file.version ?? "unknown";
}

/** What a column is, in a line. The core is named where it is not the suite's. */
export function testedLine({ package: from, core, broker, server }: Tested, suiteCore: string): string {
  return [
    from ? `${from.name} ${from.version}` : "from no package",
    ...(core === undefined || core === suiteCore ? [] : [`on ${CORE} ${core}`]),
    ...(server ? [`against ${server.url}${server.tapped ? "" : ", with nothing of the suite's in between"}`] : []),
    ...(broker ? [`through ${broker.name}${broker.version === undefined ? "" : ` ${broker.version}`}`] : []),
  ].join(", ");
}

const CORE = "@parley/core";

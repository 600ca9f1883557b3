import { createHash } from "node:crypto";
import type { FoundBroker } from "../brokers/broker.ts";
import type { Profile } from "../profile.ts";
import type { Report } from "../result.ts";
import { scenarios } from "../scenarios/index.ts";
import type { Version } from "../tested.ts";
import { totalsOf, type Verdict } from "../verdict.ts";
import { canonicalJson } from "./canonical-json.ts";

/**
 * What a run found out about one wire, for programs and for readers of a package; `certificate.schema.json` describes it. Nobody signs it: its digest tells
 * whether it is still as it was written, not by whom.
 */
export interface Certificate {
  readonly $schema: string;
  /** Version of this form. */
  readonly certificate: 1;
  readonly suite: Version;
  /** Name of the subject. */
  readonly wire: string;
  /** The package that the transport is from; `null` if it is from none. */
  readonly package: Version | null;
  /** Version of `@parley/core` that the package runs on. */
  readonly core: string | null;
  readonly broker: FoundBroker | null;
  /** The server that was tested, if it was the user's own; without user and password. */
  readonly server: string | null;
  readonly node: string;
  readonly platform: string;
  readonly profile: Profile;
  readonly seed: string;
  /** When the run began, ISO 8601. */
  readonly issued: string;
  readonly status: CertificateStatus;
  /** How many scenarios the catalogue of this version of the suite has. */
  readonly catalogue: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** By id, of those that were run. */
  readonly results: Readonly<Record<string, Verdict>>;
  /** `sha256:` and the hexadecimal SHA-256 of the RFC 8785 form of all but this. */
  readonly digest: string;
}

/**
 * - `conforms`: the whole catalogue was run, and whatever applies holds.
 * - `fails`: something does not hold.
 * - `incomplete`: what was judged holds, and something was not: it was not run, was blocked, or the suite failed.
 */
export type CertificateStatus = "conforms" | "fails" | "incomplete";

/** Where the schema of certificates is published. */
export const certificateSchema =
  "https://raw.githubusercontent.com/parley-dev/parley/main/apps/conformance/certificate.schema.json";

/** The certificate of one wire of a run. */
export function certify(report: Report, wire: string): Certificate {
  const { suite, machine, profile, seed, startedAt } = report;
  const own = report.results.filter(({ transport }) => transport === wire);
  const { counts, graded } = totalsOf(own);
  const tested = report.tested[wire];
  const unsigned: Omit<Certificate, "digest"> = {
    $schema: certificateSchema,
    certificate: 1,
    suite,
    wire,
    package: tested?.package ?? null,
    core: tested?.core ?? null,
    broker: tested?.broker ?? null,
    server: tested?.server?.url ?? null,
    node: machine.node,
    platform: machine.platform,
    profile,
    seed,
    issued: startedAt,
    status: statusOf(counts, graded > 0 && own.length >= scenarios.length),
    catalogue: scenarios.length,
    counts,
    results: Object.fromEntries(own.map(({ scenario, verdict }) => [scenario, verdict])),
  };
  return { ...unsigned, digest: digestOf(unsigned) };
}

/** A certificate as a file: keys sorted, two spaces, for people and diffs. The digest does not depend on that. */
export function certificateText(certificate: Certificate): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(certificate)), null, 2)}\n`;
}

/** The digest that goes with a certificate's content. */
export function digestOf(content: Readonly<Record<string, unknown>> | Omit<Certificate, "digest">): string {
  const { digest: _, ...rest } = content as Readonly<Record<string, unknown>>; // either is one
  return `sha256:${createHash("sha256").update(canonicalJson(rest)).digest("hex")}`;
}

function statusOf({ fail, error, blocked }: Certificate["counts"], complete: boolean): CertificateStatus {
  if (fail > 0) return "fails";
  return complete && error + blocked === 0 ? "conforms" : "incomplete";
}

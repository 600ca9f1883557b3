import { ParleyError } from "../call/error.ts";
import type { CallKind } from "../envelope/envelope.ts";
import type { AnnouncedOperation } from "../transport/hello.ts";
import type { Contract, Definition } from "./contract.ts";

/** Versions that an agent answers, ascending: all that the contract describes. */
export function answeredVersions({ version, previous }: Definition): readonly number[] {
  return [...Object.keys(previous).map(Number), version].sort((left, right) => left - right);
}

/** Versions that a client can speak, ascending: those it can write and read. */
export function spokenVersions(definition: Definition): readonly number[] {
  return answeredVersions(definition).filter((version) => {
    const old = version === definition.version ? undefined : definition.previous[version];
    return (!old?.input || old.input.downcast !== undefined) && (!old?.output || old.output.upcast !== undefined);
  });
}

/** Kind by which an agent announces an entry of its contract: topics are announced as `publish`. */
export function announcedKind({ kind }: Definition): CallKind {
  return kind === "topic" ? "publish" : kind;
}

/** What an agent with this contract says of itself in the handshake. */
export function announce({ name, operations }: Contract): Readonly<Record<string, AnnouncedOperation>> {
  return Object.fromEntries(
    Object.entries(operations).map(([key, definition]) => [
      `${name}.${key}`,
      { kind: announcedKind(definition), versions: answeredVersions(definition) },
    ]),
  );
}

interface Mismatch {
  readonly operation: string;
  readonly why: string;
  readonly spoken: readonly number[];
  readonly answered: readonly number[];
}

/**
 * Chooses for every entry of a contract the highest version that both sides know.
 * @param announced what the peer said in the handshake; absent, the present versions are taken.
 * @throws ParleyError `failed_precondition`, `not-sent`, when the peer lacks an entry, has it as another kind, or has no version in common.
 * Its message names both sides' operations, `details.mismatches` both ranges of versions.
 */
export function negotiate(
  contract: Contract,
  announced: Readonly<Record<string, AnnouncedOperation>> | undefined,
): ReadonlyMap<string, number> {
  const chosen = new Map<string, number>();
  const mismatches: Mismatch[] = [];
  for (const [key, definition] of Object.entries(contract.operations)) {
    const operation = `${contract.name}.${key}`;
    const found = announced && (Object.hasOwn(announced, operation) ? announced[operation] : null);
    const spoken = spokenVersions(definition);
    const common = found ? spoken.findLast((version) => found.versions.includes(version)) : definition.version;
    const why = found === undefined ? undefined : mismatch(definition, found, common);
    if (why === undefined) chosen.set(key, common as number);
    else mismatches.push({ operation, why, spoken, answered: found?.versions ?? [] });
  }
  if (mismatches.length > 0) throw disjoint(contract, announced ?? {}, mismatches);
  return chosen;
}

function mismatch(
  definition: Definition,
  found: AnnouncedOperation | null,
  common: number | undefined,
): string | undefined {
  if (!found) return "it is not there";
  const kind = announcedKind(definition);
  if (found.kind !== kind) return `it is a ${found.kind} there, and a ${kind} here`;
  if (common !== undefined) return undefined;
  return `this side speaks version ${range(spokenVersions(definition))}, the peer answers ${range(found.versions)}`;
}

/** Operations that an error lists; those beyond are counted. */
const MAX_LISTED = 16;

function disjoint(
  contract: Contract,
  announced: Readonly<Record<string, AnnouncedOperation>>,
  mismatches: readonly Mismatch[],
): ParleyError {
  const told = mismatches.slice(0, MAX_LISTED).map(({ operation, why }) => `${operation}: ${why}`);
  const here = Object.entries(contract.operations).map(
    ([key, one]) => `${contract.name}.${key} (${range(spokenVersions(one))})`,
  );
  const there = Object.entries(announced).map(([operation, { versions }]) => `${operation} (${range(versions)})`);
  return new ParleyError(
    "failed_precondition",
    `the peer does not fit the contract ${contract.name}: ${told.join("; ")}. Operations here: ${list(here)}. Operations there: ${list(there)}.`,
    { outcome: "not-sent", details: { mismatches: mismatches.slice(0, MAX_LISTED) } },
  );
}

function list(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const more = names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : "";
  return names.slice(0, MAX_LISTED).join(", ") + more;
}

function range(versions: readonly number[]): string {
  return versions.length === 0 ? "none" : versions.slice(0, MAX_LISTED).join(", ");
}

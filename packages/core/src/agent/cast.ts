import type { Received, Schema, Sent } from "./schema.ts";

/** An old form of what callers send, and how it relates to the present one. */
export interface InputCast<Old, Current> {
  readonly schema: Old & Schema;
  /** Makes the present form of an old one. The present schema checks the result. Agents use it to answer old callers. */
  upcast(old: Received<Old>): Sent<Current>;
  /** Makes the old form of a present one. Clients use it to call old agents; without it they do not. */
  downcast?(current: Received<Current>): Sent<Old>;
}

/** An old form of what agents send, and how it relates to the present one. */
export interface OutputCast<Old, Current> {
  readonly schema: Old & Schema;
  /** Makes the old form of a present one. The old schema checks the result. Agents use it to answer old callers. */
  downcast(current: Received<Current>): Sent<Old>;
  /** Makes the present form of an old one. Clients use it to read old agents; without it they do not call them. */
  upcast?(old: Received<Old>): Sent<Current>;
}

/** A cast with its types forgotten. Either direction can be missing. */
export interface Cast {
  readonly schema: Schema;
  upcast?(old: unknown): unknown;
  downcast?(current: unknown): unknown;
}

/** What differed in an older version. A side that is absent was the same as now. */
export interface PreviousVersion {
  readonly input?: Cast | undefined;
  readonly output?: Cast | undefined;
}

/** The older versions of an operation by number. */
export type PreviousVersions = Readonly<Record<number, PreviousVersion>>;

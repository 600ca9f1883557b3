import { bearer, type Credentials } from "@parley/core";
import type { SubjectOptions } from "../subject.ts";

/** The credentials that callers of a subject show; none without one. */
export function bearing({ credential }: SubjectOptions): Credentials | undefined {
  return credential === undefined ? undefined : bearer(credential);
}

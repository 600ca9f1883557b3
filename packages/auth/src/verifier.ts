import type { Context } from "@parley/core";
import type { Identity } from "./identity.ts";

/** What was shown is for this verifier, and proves nobody. */
export interface Refusal {
  /** Why, for the log; the caller is not told. Holds nothing that was shown. */
  readonly refused: string;
}

/**
 * Finds out from what the caller showed (`context.presented`, `context.peer`) who it is; nothing when that is not for this verifier. One that
 * cannot tell at present, because what it asks does not answer, throws.
 */
export type Verifier = (context: Context) => Identity | Refusal | undefined | Promise<Identity | Refusal | undefined>;

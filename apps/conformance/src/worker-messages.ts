import type { Manifest } from "@parley/core/transport";
import type { Profile } from "./profile.ts";
import type { Result } from "./result.ts";
import type { ForeignProgram } from "./subject.ts";
import type { Found } from "./tested.ts";

/** To the process that runs one wire. */
export interface WorkerOrder {
  readonly module: string;
  /** A program in another language in place of a module. */
  readonly program?: ForeignProgram | undefined;
  /** Ids of scenarios. */
  readonly scenarios: readonly string[];
  readonly seed: string;
  readonly scale: number;
  readonly profile: Profile;
  /** Where brokers and servers are. */
  readonly urls: readonly string[];
  readonly repeat: number;
}

/** From the process that runs one wire. */
export type WorkerMessage =
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "manifest"; readonly manifest: Manifest }
  | { readonly type: "found"; readonly found: Found }
  | { readonly type: "start"; readonly scenario: string }
  | { readonly type: "result"; readonly result: Result }
  | { readonly type: "blocked"; readonly message: string }
  | { readonly type: "broken"; readonly message: string }
  | { readonly type: "done" };

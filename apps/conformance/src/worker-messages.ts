import type { Manifest } from "@parley/core/transport";
import type { Result } from "./result.ts";

/** To the process that runs one wire. */
export interface WorkerOrder {
  readonly module: string;
  /** Ids of scenarios. */
  readonly scenarios: readonly string[];
  readonly seed: string;
  readonly scale: number;
  readonly repeat: number;
}

/** From the process that runs one wire. */
export type WorkerMessage =
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "manifest"; readonly manifest: Manifest }
  | { readonly type: "start"; readonly scenario: string }
  | { readonly type: "result"; readonly result: Result }
  | { readonly type: "blocked"; readonly message: string }
  | { readonly type: "broken"; readonly message: string }
  | { readonly type: "done" };

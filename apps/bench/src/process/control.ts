import type { Taken } from "../drive.ts";
import type { Workload } from "../plan.ts";
import type { Spent } from "../profile/profiler.ts";
import type { Usage } from "./usage.ts";

/** Which side of a contender a process is. */
export type Side = "serving" | "calling";

/** From the parent to a process. */
export type Command =
  /** Serves (answered by the URL): behind a broker under this URL. */
  | { readonly name: "serve"; readonly broker: string | undefined }
  /** Connects. */
  | { readonly name: "connect"; readonly url: string }
  /** Does a slice of work (answered by what it took). */
  | { readonly name: "run"; readonly work: Workload }
  /** Asks what it has used so far. */
  | { readonly name: "usage" }
  /** Takes samples of what it does from now on. */
  | { readonly name: "profile" }
  /** Takes no more (answered by what it did). */
  | { readonly name: "spent" }
  | { readonly name: "close" };

export type Answer = { readonly value: string | Usage | Taken | Spent | undefined } | { readonly error: string };

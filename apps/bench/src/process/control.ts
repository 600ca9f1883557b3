import type { Taken } from "../drive.ts";
import type { Workload } from "../plan.ts";

/** Which side of a contender a process is. */
export type Side = "serving" | "calling";

/** From the parent to a process. */
export type Command =
  /** Serves (answered by the URL), or connects to the URL. */
  | { readonly name: "start"; readonly url?: string }
  /** Does a slice of work (answered by what it took). */
  | { readonly name: "run"; readonly work: Workload }
  /** Asks for the CPU time used so far, of all threads, in seconds. */
  | { readonly name: "cpu" }
  | { readonly name: "close" };

export type Answer = { readonly value: string | number | Taken | undefined } | { readonly error: string };

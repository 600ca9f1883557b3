import type { Taken } from "../drive.ts";
import type { Workload } from "../plan.ts";
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
  | { readonly name: "close" };

export type Answer = { readonly value: string | Usage | Taken | undefined } | { readonly error: string };

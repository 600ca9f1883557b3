import type { Manifest } from "@parley/core/transport";
import type { Equivalence } from "./equivalence.ts";
import type { HistoryEntry } from "./history.ts";
import type { Profile } from "./profile.ts";
import type { Group, Scenario } from "./scenario.ts";
import type { Seen } from "./seen.ts";
import type { Tested, Version } from "./tested.ts";
import type { Verdict } from "./verdict.ts";
import type { WitnessName } from "./witness.ts";

/** What became of one scenario on one wire. Plain data: it crosses processes and goes into reports. */
export interface Result {
  /** Name of the subject. */
  readonly transport: string;
  /** Id of the scenario. */
  readonly scenario: string;
  readonly group: Group;
  readonly level: Scenario["level"];
  readonly title: string;
  readonly verdict: Verdict;
  /** Of the last run. */
  readonly ms: number;
  /** Why it is not a pass, in the words of whoever found out. */
  readonly message?: string;
  /** Who testified (G-07). */
  readonly witnesses: readonly WitnessName[];
  /** What both ends saw, to be compared with other wires; of what passed, in the groups where it must be equal. */
  readonly seen?: Seen;
  /** What happened, in order; of what did not pass. */
  readonly history?: readonly HistoryEntry[];
  /** With `--repeat`: how many runs passed, of how many. */
  readonly runs?: { readonly passed: number; readonly total: number };
}

/** A whole run, as the JSON report has it. */
export interface Report {
  readonly suite: Version;
  /** Version of `@parley/core` that the suite runs on. */
  readonly core: string;
  readonly seed: string;
  readonly timeScale: number;
  readonly profile: Profile;
  readonly machine: { readonly node: string; readonly platform: string; readonly cpus: number };
  /** ISO 8601. */
  readonly startedAt: string;
  readonly ms: number;
  /** In the order of the columns. */
  readonly transports: readonly string[];
  /** What each of them is, by its name there. */
  readonly tested: Readonly<Record<string, Tested>>;
  readonly manifests: Readonly<Record<string, Manifest>>;
  readonly results: readonly Result[];
  /** What must look the same on every wire, and whether it did. */
  readonly equivalence: readonly Equivalence[];
}

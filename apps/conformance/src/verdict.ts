/**
 * What became of one scenario on one wire.
 * - `pass`, `fail`: judged. `fail` includes a capability that is declared absent and yet works, or is dropped silently.
 * - `non-strict`: a SHOULD or an informational row that does not hold.
 * - `unsupported`: the manifest says the wire cannot, and the wire refuses honestly.
 * - `n/a`: the expectation has no meaning on this wire.
 * - `blocked`: something the wire needs is missing here; the message says how to get it.
 * - `error`: the suite, or the declaration of the subject, is at fault; nothing is known about the wire.
 */
export type Verdict = "pass" | "fail" | "non-strict" | "unsupported" | "n/a" | "blocked" | "error";

/** Every verdict, in the order in which totals name them. */
export const verdicts: readonly Verdict[] = ["pass", "fail", "non-strict", "error", "blocked", "unsupported", "n/a"];

/** How many results there are of each verdict, and how much of the catalogue was judged. */
export interface Totals {
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Results that say something about the wire: pass, fail and non-strict. */
  readonly graded: number;
  /** All results but `n/a`. */
  readonly applicable: number;
  /** `graded` of `applicable`, 0 to 100. Nothing graded is 0, also when nothing was applicable. */
  readonly gradedPercent: number;
}

/** Counts verdicts. */
export function totalsOf(results: readonly { readonly verdict: Verdict }[]): Totals {
  const counts: Record<Verdict, number> = {
    pass: 0,
    fail: 0,
    "non-strict": 0,
    error: 0,
    blocked: 0,
    unsupported: 0,
    "n/a": 0,
  };
  for (const { verdict } of results) counts[verdict]++;
  const graded = counts.pass + counts.fail + counts["non-strict"];
  const applicable = results.length - counts["n/a"];
  return { counts, graded, applicable, gradedPercent: applicable === 0 ? 0 : (100 * graded) / applicable };
}

/** `3 passed, 0 failed, 0 errors, 0 blocked, 1 unsupported, 0 n/a; graded 3 of 4 (75.0 %)`: skipped work stands in the same line as passed. */
export function totalsLine(totals: Totals): string {
  const { counts } = totals;
  const parts = [
    `${counts.pass} passed`,
    `${counts.fail} failed`,
    ...(counts["non-strict"] > 0 ? [`${counts["non-strict"]} non-strict`] : []),
    `${counts.error} errors`,
    `${counts.blocked} blocked`,
    `${counts.unsupported} unsupported`,
    `${counts["n/a"]} n/a`,
  ];
  return `${parts.join(", ")}; graded ${totals.graded} of ${totals.applicable} (${totals.gradedPercent.toFixed(1)} %)`;
}

/** What decides the exit code beside the verdicts. */
export interface ExitRules {
  /** Fewer graded results than this on any wire is a failure. @default 1 */
  readonly minGraded?: number | undefined;
  /** Counts `non-strict` as a failure. @default false */
  readonly strict?: boolean | undefined;
  /** What must look the same on every wire; a difference is a failure. */
  readonly equivalence?: readonly { readonly differences: readonly unknown[] }[] | undefined;
}

/** Exit codes of the command. */
export const exitCodes = { clean: 0, failed: 1, broken: 2 } as const;

/**
 * The exit code of a run: 0 clean; 1 when an expectation does not hold, wires differ, one was blocked, or too little was graded (a run
 * that judged nothing is never clean); 2 when the suite or a declaration was at fault.
 */
export function exitCodeOf(
  results: readonly { readonly transport: string; readonly verdict: Verdict }[],
  rules: ExitRules = {},
): 0 | 1 | 2 {
  const { counts } = totalsOf(results);
  if (counts.error > 0) return exitCodes.broken;
  const broken = counts.fail + counts.blocked + (rules.strict ? counts["non-strict"] : 0);
  const different = (rules.equivalence ?? []).some(({ differences }) => differences.length > 0);
  if (broken > 0 || different || underGraded(results, rules.minGraded).length > 0) return exitCodes.failed;
  return exitCodes.clean;
}

/** The wires with fewer graded results than asked for; the whole run if there is no result at all. */
export function underGraded(
  results: readonly { readonly transport: string; readonly verdict: Verdict }[],
  minGraded = 1,
): readonly { readonly transport: string; readonly graded: number }[] {
  const byTransport = Map.groupBy(results, (result) => result.transport);
  if (byTransport.size === 0) return [{ transport: "(none)", graded: 0 }];
  return [...byTransport]
    .map(([transport, own]) => ({ transport, graded: totalsOf(own).graded }))
    .filter(({ graded }) => graded < Math.max(1, minGraded));
}

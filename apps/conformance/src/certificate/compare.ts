import type { Verdict } from "../verdict.ts";
import type { Certificate } from "./certificate.ts";

/** One scenario that is not as it was. */
export interface Change {
  readonly scenario: string;
  /** Absent where it was not run. */
  readonly before?: Verdict;
  readonly after?: Verdict;
}

/** What changed between two certificates. */
export interface Comparison {
  readonly worse: readonly Change[];
  readonly better: readonly Change[];
  /** Another verdict that is worth as much. */
  readonly changed: readonly Change[];
  /** Run only in the second. */
  readonly added: readonly Change[];
  /** Run only in the first. */
  readonly gone: readonly Change[];
  /** How many have the verdict that they had. */
  readonly same: number;
}

/** What a verdict is worth to who relies on the wire: what is not known is worth no more than what fails. */
const worth: Readonly<Record<Verdict, number>> = {
  pass: 3,
  "non-strict": 2,
  unsupported: 1,
  "n/a": 1,
  fail: 0,
  error: 0,
  blocked: 0,
};

/** Compares the results of two certificates, of one wire or of two. */
export function compareCertificates(first: Certificate, second: Certificate): Comparison {
  const ids = [...new Set([...Object.keys(first.results), ...Object.keys(second.results)])].sort();
  const changes = ids.map((scenario): Change => {
    const [before, after] = [first.results[scenario], second.results[scenario]];
    return { scenario, ...(before && { before }), ...(after && { after }) };
  });
  const both = changes.filter(({ before, after }) => before && after);
  const by = (holds: (difference: number) => boolean): readonly Change[] =>
    both.filter((change) => change.before !== change.after && holds(gain(change)));
  return {
    worse: by((difference) => difference < 0),
    better: by((difference) => difference > 0),
    changed: by((difference) => difference === 0),
    added: changes.filter(({ before }) => !before),
    gone: changes.filter(({ after }) => !after),
    same: both.filter(({ before, after }) => before === after).length,
  };
}

function gain({ before, after }: Change): number {
  return (after ? worth[after] : 0) - (before ? worth[before] : 0);
}

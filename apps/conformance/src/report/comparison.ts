import type { Certificate } from "../certificate/certificate.ts";
import type { Change, Comparison } from "../certificate/compare.ts";
import { scenarios } from "../scenarios/index.ts";
import type { Version } from "../tested.ts";
import type { Screen, Style } from "./screen.ts";

/** Longer lists are cut off; `--json` has all of them. */
const MAX_LINES = 20;
const MAX_TITLE = 72;

const sections = [
  ["worse", "red"],
  ["better", "green"],
  ["changed", "yellow"],
  ["new", "cyan"],
  ["gone", "gray"],
] as const satisfies readonly (readonly [string, Style])[];

/** What changed between two certificates, to be read in ten seconds: the sum, of what, then a line per scenario, the worst first. */
export function comparisonText(
  comparison: Comparison,
  [first, second]: readonly [Certificate, Certificate],
  screen: Screen,
): string {
  const { worse, better, changed, added, gone, same } = comparison;
  const lists = { worse, better, changed, new: added, gone };
  const width = Math.max(...Object.values(lists).flatMap((list) => list.map((change) => turn(change).length)), 0);
  const sums = sections.map(([name, style]) => {
    const sum = `${lists[name].length} ${name}`;
    return lists[name].length > 0 ? screen.style(style, sum) : sum;
  });
  return [
    `${[...sums, `${same} the same`].join(", ")}\n`,
    about(first, second),
    ...sections.flatMap(([name, style]) => section(name, lists[name], { style, width, screen })),
  ].join("");
}

/** The same for programs. */
export function comparisonJson(
  { added, ...rest }: Comparison,
  [first, second]: readonly [Certificate, Certificate],
): string {
  const head = ({ wire, package: from, suite, profile, status, digest }: Certificate): object => ({
    wire,
    package: from,
    suite,
    profile,
    status,
    digest,
  });
  return `${JSON.stringify({ before: head(first), after: head(second), ...rest, new: added }, null, 2)}\n`;
}

/** What the two are of; an arrow where that is not the same. */
function about(first: Certificate, second: Certificate): string {
  const told = [
    arrow(first.wire, second.wire),
    versions(first.package, second.package),
    versions(first.suite, second.suite),
    `profile ${arrow(first.profile, second.profile)}`,
    arrow(first.status, second.status),
  ];
  return `${told.join(", ")}\n`;
}

function versions(first: Version | null, second: Version | null): string {
  if (first && first.name === second?.name) return `${first.name} ${arrow(first.version, second.version)}`;
  const [from, to] = [first, second].map((one) => (one ? `${one.name} ${one.version}` : "no package"));
  return arrow(from ?? "", to ?? "");
}

function section(
  name: string,
  changes: readonly Change[],
  { style, width, screen }: { readonly style: Style; readonly width: number; readonly screen: Screen },
): string[] {
  if (changes.length === 0) return [];
  const lines = changes.slice(0, MAX_LINES).map((change) => {
    const title = scenarios.find(({ id }) => id === change.scenario)?.title ?? "not in this version of the suite";
    const short = title.length > MAX_TITLE ? `${title.slice(0, MAX_TITLE - 1)}…` : title;
    return `  ${change.scenario.padEnd(8)} ${turn(change).padEnd(width)}  ${screen.style("gray", short)}\n`;
  });
  const left = changes.length - lines.length;
  return [`\n${screen.style(style, name)}\n`, ...lines, ...(left > 0 ? [`  … and ${left} more\n`] : [])];
}

function turn({ before, after }: Change): string {
  return before && after ? arrow(before, after) : (before ?? after ?? "");
}

function arrow(from: string, to: string): string {
  return from === to ? from : `${from} → ${to}`;
}

import type { Finding } from "./contracts.ts";

/** The last two lines of a sonnet say what comes of it: a finding there counts double. */
const COUPLET = 13;

/** The findings of a theme. */
export function about(theme: string, findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((finding) => finding.theme === theme);
}

/** How much findings weigh together. */
export function strengthOf(findings: readonly Finding[]): number {
  return findings.reduce((sum, { line }) => sum + (line < COUPLET ? 1 : 2), 0);
}

/** The weightiest lines of each theme, as many as its share; a line that shows several themes is quoted once. */
export function quote(findings: readonly Finding[], shares: Readonly<Record<string, number>>): Finding[] {
  const quoted: Finding[] = [];
  for (const [theme, share] of Object.entries(shares)) {
    const isNew = ({ text }: Finding): boolean => !quoted.some((one) => one.text === text);
    quoted.push(...byStrength(about(theme, findings)).filter(isNew).slice(0, share));
  }
  return quoted;
}

function byStrength(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => strengthOf([b]) - strengthOf([a]) || a.sonnet - b.sonnet || a.line - b.line);
}

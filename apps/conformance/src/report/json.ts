import type { Report } from "../result.ts";
import { totalsOf } from "../verdict.ts";

/** The report for programs: all of it, with totals. */
export function jsonReport(report: Report): string {
  return `${JSON.stringify({ ...report, totals: totalsOf(report.results) }, null, 2)}\n`;
}

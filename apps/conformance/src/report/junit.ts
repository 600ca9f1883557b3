import type { Report, Result } from "../result.ts";

/** The report in the format that CI systems read: a suite per wire, a case per scenario. */
export function junitReport(report: Report): string {
  const suites = report.transports.map((transport) => {
    const own = report.results.filter((result) => result.transport === transport);
    const count = (...verdicts: readonly Result["verdict"][]): number =>
      own.filter(({ verdict }) => verdicts.includes(verdict)).length;
    const head = attributes({
      name: `parley-conformance.${transport}`,
      tests: own.length,
      failures: count("fail"),
      errors: count("error"),
      skipped: count("blocked", "unsupported", "n/a", "non-strict"),
      time: seconds(own.reduce((sum, { ms }) => sum + ms, 0)),
      timestamp: report.startedAt,
    });
    return `  <testsuite${head}>\n${own.map(testCase).join("")}  </testsuite>\n`;
  });
  const head = attributes({ name: "parley-conformance", time: seconds(report.ms) });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${head}>\n${suites.join("")}</testsuites>\n`;
}

function testCase(result: Result): string {
  const head = attributes({
    classname: `${result.transport}.${result.group}`,
    name: `${result.scenario} ${result.title}`,
    time: seconds(result.ms),
  });
  const { verdict, message = "" } = result;
  const [summary = ""] = message.split("\n", 1);
  const inner = {
    pass: "",
    fail: `      <failure${attributes({ message: summary })}>${escaped(message)}</failure>\n`,
    error: `      <error${attributes({ message: summary })}>${escaped(message)}</error>\n`,
    "non-strict": `      <skipped${attributes({ message: `non-strict: ${summary}` })}/>\n`,
    blocked: `      <skipped${attributes({ message: `blocked: ${summary}` })}/>\n`,
    unsupported: `      <skipped${attributes({ message: `unsupported: ${summary}` })}/>\n`,
    "n/a": `      <skipped${attributes({ message: `n/a: ${summary}` })}/>\n`,
  }[verdict];
  return inner === "" ? `    <testcase${head}/>\n` : `    <testcase${head}>\n${inner}    </testcase>\n`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value)).replaceAll("\n", "&#10;")}"`)
    .join("");
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** For XML 1.0, which has no place for most control characters at all. */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}

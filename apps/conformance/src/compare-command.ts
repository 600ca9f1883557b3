import { parseArgs } from "node:util";
import { compareCertificates } from "./certificate/compare.ts";
import { readCertificate } from "./certificate/read.ts";
import type { Surroundings } from "./main.ts";
import { comparisonJson, comparisonText } from "./report/comparison.ts";
import { exitCodes } from "./verdict.ts";

const help = `parley-conformance compare: what changed between two certificates.

Usage: parley-conformance compare <before.json> <after.json> [--json]

  --json    everything, for programs
  --help

A scenario is worse, or better, by the order pass, non-strict, unsupported and n/a, and last what fails or
is not known (fail, error, blocked). Both files must be as they were written, by their digests.

Exit codes
  0  nothing is worse
  1  something is worse
  2  a file is missing, is no certificate or was changed, or the command line is wrong
`;

/**
 * `parley-conformance compare`. Resolves with its exit code.
 * @throws RangeError when the command line is wrong, or a file is no sound certificate.
 */
export async function compareCommand(
  args: readonly string[],
  { directory, screen }: Pick<Surroundings, "directory" | "screen">,
): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    screen.write(help);
    return exitCodes.clean;
  }
  const [before, after, ...more] = positionals;
  if (before === undefined || after === undefined || more.length > 0) {
    throw new RangeError(
      `compare takes two certificates, as in compare before.json after.json, and was given ${positionals.length}`,
    );
  }
  const both = [await readCertificate(before, directory), await readCertificate(after, directory)] as const;
  const comparison = compareCertificates(...both);
  screen.write(values.json ? comparisonJson(comparison, both) : comparisonText(comparison, both, screen));
  return comparison.worse.length > 0 ? exitCodes.failed : exitCodes.clean;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new RangeError(`compare: ${(error as Error).message.split(". ", 1)[0]}`); // parseArgs throws TypeErrors
  }
}

import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { badge } from "./certificate/badge.ts";
import { type Certificate, certificateText, certify } from "./certificate/certificate.ts";
import { compareCommand } from "./compare-command.ts";
import { help } from "./help.ts";
import { killMatrix, unproven } from "./mutants/kill.ts";
import { type Options, parseOptions } from "./options.ts";
import { htmlReport } from "./report/html.ts";
import { jsonReport } from "./report/json.ts";
import { junitReport } from "./report/junit.ts";
import { absentLine, catalogue, killLine, type Screen, terminalProgress, terminalReport } from "./report/terminal.ts";
import type { Report } from "./result.ts";
import { run } from "./run.ts";
import { selectScenarios } from "./scenarios/index.ts";
import { commandRef, subjectRef } from "./subjects/index.ts";
import { type FoundSubjects, findSubjects, wiresServedAt } from "./subjects/project.ts";
import { exitCodeOf, exitCodes } from "./verdict.ts";
import { suite } from "./version.ts";

/** Where a command is given. */
export interface Surroundings {
  /** Relative paths start here. */
  readonly directory: string;
  readonly screen: Screen;
  /** Takes complaints. */
  complain(text: string): void;
}

/** The command. Resolves with its exit code. */
export async function main(args: readonly string[], { directory, screen, complain }: Surroundings): Promise<number> {
  try {
    if (args[0] === "compare") return await compareCommand(args.slice(1), { directory, screen });
    const options = parseOptions(args);
    if (options.help) screen.write(help);
    else if (options.version) screen.write(`${suite.name} ${suite.version}\n`);
    else if (options.list) screen.write(catalogue(selectScenarios(options.only), screen));
    else if (options.mutants) return await runMutants(options, screen);
    else return await runWires(options, directory, screen);
    return exitCodes.clean;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    complain(`parley-conformance: ${error.message}\nTry parley-conformance --help\n`);
    return exitCodes.broken;
  }
}

async function runWires(options: Options, directory: string, screen: Screen): Promise<number> {
  const { repeat, timeScale, minGraded, strict, profile, urls } = options;
  const scenarios = selectScenarios(options.only);
  const { subjects, absent } = chosen(options, directory);
  if (absent.length > 0) screen.write(`${absentLine(absent)}\n`);
  const seed = options.seed ?? newSeed();
  const progress = terminalProgress(screen, seed);
  const report = await run({ subjects, scenarios, seed, timeScale, profile, urls, repeat, progress });
  const files = filesOf(report, options);
  for (const { path: file, content } of files) {
    const path = resolve(directory, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  const written = [...new Set(files.map(({ said }) => said))];
  screen.write(terminalReport(report, { minGraded, strict, written }, screen));
  return exitCodeOf(report.results, { minGraded, strict, equivalence: report.equivalence });
}

/** What the user names; else what is there, and what the suite has subjects for and is not there. */
function chosen({ transports, commands, urls }: Options, directory: string): FoundSubjects {
  const served = wiresServedAt(urls);
  if (transports === undefined && commands.length === 0 && served.length === 0) return findSubjects(directory);
  return {
    subjects: [
      ...(transports ?? served).map((name) => subjectRef(name, directory)),
      ...commands.map((line) => commandRef(line, directory)),
    ],
    absent: [],
  };
}

interface WrittenFile {
  readonly path: string;
  readonly content: string;
  /** What the user is told of it; files that belong together are told once. */
  readonly said: string;
}

/** The files that are asked for. */
function filesOf(report: Report, { json, junit, html, certificate, badge: badges }: Options): readonly WrittenFile[] {
  const one = (path: string | undefined, make: (of: Report) => string): readonly WrittenFile[] =>
    path === undefined ? [] : [{ path, content: make(report), said: path }];
  const perWire = (
    to: string | undefined,
    kind: { readonly extension: string; readonly title: string; readonly make: (of: Certificate) => string },
  ): readonly WrittenFile[] =>
    (to === undefined ? [] : report.transports).map((wire) => ({
      path: join(to ?? "", `parley-conformance-${wire}.${kind.extension}`),
      content: kind.make(certify(report, wire)),
      said: `${kind.title} of ${report.transports.join(", ")} to ${to}`,
    }));
  return [
    ...one(json, jsonReport),
    ...one(junit, junitReport),
    ...one(html, htmlReport),
    ...perWire(certificate, { extension: "json", title: "certificates", make: certificateText }),
    ...perWire(badges, { extension: "svg", title: "badges", make: badge }),
  ];
}

async function runMutants(options: Options, screen: Screen): Promise<number> {
  const scenarios = selectScenarios(options.only);
  const seed = options.seed ?? newSeed();
  screen.write(`seed ${seed}\n`);
  const kills = await killMatrix(scenarios, {
    seed,
    ...(options.timeScale === undefined ? {} : { scale: options.timeScale }),
    onKill: (kill) => screen.write(killLine(kill, screen)),
  });
  const left = unproven(scenarios, kills);
  for (const { id } of left) screen.write(`${id} is informational: no mutant turns it red\n`);
  const killed = kills.filter((kill) => kill.killed).length;
  screen.write(
    `\n${killed} of ${kills.length} mutants killed; ${scenarios.length - left.length} of ${scenarios.length} scenarios proven\n`,
  );
  return killed === kills.length && left.length === 0 ? exitCodes.clean : exitCodes.failed;
}

function newSeed(): string {
  return randomBytes(4).toString("hex");
}

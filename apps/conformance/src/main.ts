import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { help } from "./help.ts";
import { killMatrix, unproven } from "./mutants/kill.ts";
import { type Options, parseOptions } from "./options.ts";
import { htmlReport } from "./report/html.ts";
import { jsonReport } from "./report/json.ts";
import { junitReport } from "./report/junit.ts";
import { catalogue, killLine, type Screen, terminalProgress, terminalReport } from "./report/terminal.ts";
import { run } from "./run.ts";
import { selectScenarios } from "./scenarios/index.ts";
import { builtIn, commandRef, subjectRef } from "./subjects/index.ts";
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
  const named = options.transports ?? (options.commands.length > 0 ? [] : builtIn);
  const subjects = [
    ...named.map((name) => subjectRef(name, directory)),
    ...options.commands.map((line) => commandRef(line, directory)),
  ];
  const seed = options.seed ?? newSeed();
  const progress = terminalProgress(screen, seed);
  const report = await run({ subjects, scenarios, seed, timeScale, profile, urls, repeat, progress });
  const files: readonly (readonly [string | undefined, () => string])[] = [
    [options.json, () => jsonReport(report)],
    [options.junit, () => junitReport(report)],
    [options.html, () => htmlReport(report)],
  ];
  const written: string[] = [];
  for (const [file, make] of files) {
    if (file === undefined) continue;
    const path = resolve(directory, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, make());
    written.push(file);
  }
  screen.write(terminalReport(report, { minGraded, strict, written }, screen));
  return exitCodeOf(report.results, { minGraded, strict, equivalence: report.equivalence });
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

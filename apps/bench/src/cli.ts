#!/usr/bin/env node
import { accessSync, constants, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Arguments, help, readArguments, UsageError } from "./arguments.ts";
import { chart } from "./report/chart.ts";
import { benchDocument } from "./report/document.ts";
import { tableHead, tableLines } from "./report/table.ts";
import { type Comparison, run } from "./run.ts";

/** Exit codes: 0 measured, 1 failed, 2 wrong usage. */
try {
  const args = readArguments(process.argv.slice(2));
  if (args.help) process.stdout.write(help);
  else await bench(args);
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(
    `bench: ${error instanceof Error ? error.message : String(error)}${usage ? "\nTry --help." : ""}\n`,
  );
  process.exitCode = usage ? 2 : 1;
}

async function bench(args: Arguments): Promise<void> {
  for (const file of [args.json, args.svg]) if (file !== undefined) checkWritable(file);
  const comparisons: Comparison[] = [];
  console.log(tableHead);
  for await (const comparison of run(args)) {
    comparisons.push(comparison);
    console.log(tableLines(comparison));
  }
  const document = benchDocument(comparisons, args.rounds);
  if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify(document, undefined, 2)}\n`);
  if (args.svg !== undefined) writeFileSync(args.svg, chart(document));
}

/** Said before the minutes of measuring. */
function checkWritable(file: string): void {
  const folder = dirname(resolve(file));
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new UsageError(`cannot write ${file}: there is no folder ${folder} to write to`);
  }
}

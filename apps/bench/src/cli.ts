#!/usr/bin/env node
import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Arguments, help, readArguments, UsageError } from "./arguments.ts";
import { measure } from "./measure.ts";
import { chart } from "./report/chart.ts";
import { type BenchDocument, benchDocument, type Results, readDocument } from "./report/document.ts";
import { markdown } from "./report/markdown.ts";

// Brokers and processes of contenders end with this one, if it ends by itself.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

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
  const { from, json, svg, docs } = args;
  if (docs !== undefined) mkdirSync(docs, { recursive: true });
  for (const file of [json, svg]) if (file !== undefined) checkWritable(file);
  if (from !== undefined) {
    write(readDocument(from), args);
    return;
  }
  let results: Results = { figures: [], growth: [], footprints: [], allocations: [], profiles: [] };
  try {
    for await (const { lines, ...found } of measure(args)) {
      console.log(lines);
      results = joined(results, found);
    }
  } catch (error) {
    // What there is of a long run is not lost when it fails.
    write(benchDocument(args, results), { json });
    throw error;
  }
  write(benchDocument(args, results), args);
}

function write(document: BenchDocument, { json, svg, docs }: Partial<Arguments>): void {
  if (json !== undefined) writeFileSync(json, jsonOf(document));
  if (svg !== undefined) writeFileSync(svg, chart(document));
  if (docs !== undefined) {
    writeFileSync(join(docs, "performance.json"), jsonOf(document));
    writeFileSync(join(docs, "performance.svg"), chart(document));
    writeFileSync(join(docs, "performance.md"), markdown(document, "performance.svg"));
  }
}

function joined(results: Results, found: Partial<Results>): Results {
  return {
    figures: [...results.figures, ...(found.figures ?? [])],
    growth: [...results.growth, ...(found.growth ?? [])],
    footprints: [...results.footprints, ...(found.footprints ?? [])],
    allocations: [...results.allocations, ...(found.allocations ?? [])],
    profiles: [...results.profiles, ...(found.profiles ?? [])],
  };
}

function jsonOf(document: BenchDocument): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
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

import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { parseOptions } from "../src/options.ts";
import { run } from "../src/run.ts";
import { scenarios } from "../src/scenarios/index.ts";
import { subjectRef } from "../src/subjects/index.ts";
import { exitCodes, verdicts } from "../src/verdict.ts";

const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
const file = join(import.meta.dirname, "readme-example.ts");
afterAll(() => rm(file, { force: true }));

it("the example of a run works as it stands", async () => {
  const [, program = ""] = examples;
  await writeFile(file, program.replace('"@parley/conformance"', '"../src/index.ts"'));
  await promisify(execFile)(process.execPath, [file]);
}, 60_000);

it("a stranger's transport is tested by the path of a module like the one shown", async () => {
  const [shown = ""] = examples;
  const own = await readFile(join(import.meta.dirname, "subjects/tcp-lines.ts"), "utf8");
  for (const key of ["name", "transport", "url", "tapping"]) {
    expect(shown).toMatch(new RegExp(`^  ${key}: `, "m"));
    expect(own).toMatch(new RegExp(`^  ${key}: `, "m"));
  }
  const report = await run({
    subjects: [subjectRef("./subjects/tcp-lines.ts", import.meta.dirname)],
    scenarios,
    seed: "1",
  });
  const bad = report.results.filter(({ verdict }) => verdict !== "pass");
  expect(bad.map(({ scenario, message }) => `${scenario}: ${message}`)).toEqual([]);
}, 60_000);

it("it names every option, exit code and verdict", () => {
  for (const option of [
    "transport",
    "only",
    "repeat",
    "seed",
    "time-scale",
    "strict",
    "min-graded",
    "html",
    "json",
    "junit",
    "mutants",
    "list",
  ]) {
    expect(readme).toContain(`--${option}`);
    const value = { repeat: "1", "time-scale": "1", "min-graded": "1" }[option] ?? "x";
    expect(() =>
      parseOptions(["strict", "mutants", "list"].includes(option) ? [`--${option}`] : [`--${option}`, value]),
    ).not.toThrow();
  }
  for (const code of Object.values(exitCodes)) expect(readme).toMatch(new RegExp(`^\\| ${code} \\|`, "m"));
  for (const verdict of verdicts) expect(readme).toContain(verdict);
});

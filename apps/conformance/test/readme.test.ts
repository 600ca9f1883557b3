import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { parseOptions } from "../src/options.ts";
import { exitCodes, verdicts } from "../src/verdict.ts";

const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
const file = join(import.meta.dirname, "readme-example.ts");
afterAll(() => rm(file, { force: true }));

it("the example of a run works as it stands", async () => {
  const program = examples.at(-1) ?? "";
  await writeFile(file, program.replace('"@parley/conformance"', '"../src/index.ts"'));
  await promisify(execFile)(process.execPath, [file]);
}, 240_000);

it("a subject is spelled as the one that the guide to writing a transport has", async () => {
  const [, shown = ""] = examples;
  const guides = await readFile(join(import.meta.dirname, "../../../examples/tcp-transport/src/subject.ts"), "utf8");
  for (const key of ["name", "transport", "url", "tapping"]) {
    expect(shown).toMatch(new RegExp(`^  ${key}: `, "m"));
    expect(guides).toMatch(new RegExp(`^  ${key}: `, "m"));
  }
});

it("it names every option, exit code and verdict", () => {
  for (const option of [
    "transport",
    "command",
    "url",
    "profile",
    "only",
    "repeat",
    "seed",
    "time-scale",
    "strict",
    "min-graded",
    "html",
    "json",
    "junit",
    "certificate",
    "badge",
    "mutants",
    "list",
  ]) {
    expect(readme).toContain(`--${option}`);
    const fitting = { repeat: "1", "time-scale": "1", "min-graded": "1", url: "mqtt://127.0.0.1", profile: "full" };
    const value = { ...fitting }[option as keyof typeof fitting] ?? "x";
    expect(() =>
      parseOptions(["strict", "mutants", "list"].includes(option) ? [`--${option}`] : [`--${option}`, value]),
    ).not.toThrow();
  }
  for (const code of Object.values(exitCodes)) expect(readme).toMatch(new RegExp(`^\\| ${code} \\|`, "m"));
  for (const verdict of verdicts) expect(readme).toContain(verdict);
});

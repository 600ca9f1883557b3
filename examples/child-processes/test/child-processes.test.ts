import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "..");

/** What a program prints, line by line. */
async function printed(program: string, ...args: string[]): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, [`src/${program}`, ...args], { cwd: folder, timeout: 20_000 });
  return stdout.trimEnd().split("\n");
}

it("a Python session remembers, tells its errors, and can be interrupted", async () => {
  expect(await printed("python.ts")).toEqual([
    "",
    "3",
    "",
    "Traceback (most recent call last):",
    expect.stringContaining("<stdin>"),
    "IndexError: list index out of range",
    "",
    "deadline_exceeded unknown",
    "'one two three'",
  ]);
}, 20_000);

it("an MCP server tells its tools, runs them, and asks back", async () => {
  const lines = await printed("everything.ts");
  expect(lines.slice(0, 3)).toEqual(["true", "Echo: hello", "The sum of 40 and 2 is 42."]);
  expect(lines.join("\n")).toContain("file:///tmp/notes");
  expect(lines.at(-1)).toBe("open");
}, 20_000);

it("an MCP server for files writes and reads them, in its folder only", async () => {
  const notes = await mkdtemp(join(tmpdir(), "parley-notes-"));
  try {
    const [read, refused] = await printed("files.ts", notes);
    expect(read).toBe("remember the milk");
    expect(refused).toContain("the tool read_text_file failed: Access denied");
    expect(await readFile(join(notes, "note.txt"), "utf8")).toBe("remember the milk");
  } finally {
    await rm(notes, { recursive: true });
  }
}, 20_000);

it("what the README shows stands in the files", async () => {
  const files = ["python.ts", "mcp.ts", "everything.ts", "files.ts"];
  const texts = await Promise.all(files.map((file) => readFile(join(folder, "src", file), "utf8")));
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const shown = [...readme.matchAll(/```ts\n(.*?)```/gs)].flatMap(([, code = ""]) => code.trim().split("\n"));
  const lines = new Set(texts.flatMap((text) => text.split("\n").map((line) => line.trim())));
  expect(shown.filter((line) => line !== "" && !lines.has(line.trim()))).toEqual([]);
  expect(shown.length).toBeGreaterThan(20);
});

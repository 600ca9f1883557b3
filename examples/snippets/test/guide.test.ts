import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { compile } from "./compile.ts";
import { snippetsOf } from "./snippets.ts";

const run = promisify(execFile);

it.each([
  ["streaming", "1\n2\nstopped: cancelled\n6\n20\n40\n"],
  ["publish-subscribe", "oslo -3\nrome 19\n"],
  ["deadlines-and-retries", "12 after 3 attempts\ntea is on its way\n"],
  ["versions", "Hello, Ada!\n{ text: 'Hi Ada Lovelace' }\n"],
  [
    "operations",
    "error handler-failed the handler of text.shout.v1 failed: there is nothing to shout\nthe caller sees internal\n1 1\nopen 0\n",
  ],
])("the programs of docs/%s.md compile, run, and end by themselves", async (page, printed) => {
  const snippets = snippetsOf(`docs/${page}.md`);
  try {
    await compile(snippets);
    expect((await run(process.execPath, ["main.ts"], { cwd: snippets.folder })).stdout).toBe(printed);
  } finally {
    rmSync(snippets.folder, { recursive: true, force: true });
  }
});

import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { compile } from "./compile.ts";
import { snippetsOf } from "./snippets.ts";

const run = promisify(execFile);
const modules = join(import.meta.dirname, "../node_modules");
const { folder, files } = snippetsOf("docs/clients/stdio.md", (text) =>
  text.replaceAll('"node_modules', `"${modules}`),
);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("of the clients' snippets", () => {
  it("all of StdioClient compile", async () => {
    await compile({ folder, files: files.filter((file) => file.startsWith("stdio-")) });
  }, 30_000);

  it.each([
    ["stdio-line.ts", "plum\npear\napple\n"],
    ["stdio-json.ts", "[ { sum: 3 }, { sum: 12 } ]\n"],
    ["stdio-raw.ts", "2432902008176640000\n\n"],
    ["stdio-jsonrpc.ts", '{"content":[{"type":"text","text":"Echo: hello"}]}\n'],
    ["stdio-options.ts", "MODEL=small\n"],
    ["stdio-fault.ts", "unavailable unknown { exitCode: 3 } sorry\n\n"],
  ])(
    "%s runs, prints what it should, and ends by itself",
    async (file, printed) => {
      expect(files).toContain(file);
      const { stdout } = await run(process.execPath, [file], { cwd: folder, timeout: 20_000 });
      expect(stdout).toBe(printed);
    },
    20_000,
  );
});

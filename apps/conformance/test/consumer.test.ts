import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts } from "../src/brokers/program.ts";

/**
 * A project outside the workspace, of packed tarballs: core, one transport, the suite. What the README and the guide tell their readers to type is
 * typed here.
 */
const workspace = join(import.meta.dirname, "../../..");
const example = join(workspace, "examples/tcp-transport/src");
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}` };
let folder: string;
let project: string;

const start = (command: string, args: readonly string[], cwd: string) =>
  promisify(execFile)(command, [...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 });

/** Runs a line of a shell; answers with its exit code and what it said. */
async function shell(line: string): Promise<{ code: number; text: string }> {
  try {
    const { stdout } = await start("sh", ["-c", line], project);
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }; // what execFile rejects with
    return { code, text: `${stdout}${stderr}` };
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-consumer-"));
  project = join(folder, "project");
  await mkdir(project);
  for (const directory of ["packages/core", "packages/transport-ws", "apps/conformance"])
    await start("npx", ["-y", "pnpm@12", "pack", "--pack-destination", folder], join(workspace, directory));
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz")).map((name) => join(folder, name));
  expect(tarballs).toHaveLength(3);
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
  await start("npm", ["install", ...flags, ...tarballs], project);
  await cp(example, join(project, "src"), { recursive: true });
  const tcp = await readFile(join(example, "tcp.ts"), "utf8");
  await writeFile(
    join(project, "my-transport.ts"),
    tcp.replace("function tcp(", "function myWire(").replaceAll('"tcp"', '"mywire"'),
  );
  for (const file of ["peer.py", "operations.py"])
    await copyFile(join(import.meta.dirname, "subjects", file), join(project, file));
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const pages = await Promise.all(
  ["apps/conformance/README.md", "docs/writing-a-transport.md", "examples/tcp-transport/README.md"].map((page) =>
    readFile(join(workspace, page), "utf8"),
  ),
);
const [readme = ""] = pages;
const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
const commands = pages.flatMap((page) => [...page.matchAll(/^npx parley-conformance.*$/gm)].map(([line]) => line));

describe("a project with one transport", () => {
  it("has it found and run, beside the reference, and what is not installed told in a line", async () => {
    const { code, text } = await shell("npx parley-conformance --only ENV,RR");
    const wires = ["http", "sse", "grpc", "mqtt", "stdio"].map((wire) => `@parley/transport-${wire}`);
    expect(text.split("\n", 1)).toEqual([`not installed, so not run: ${wires.join(", ")}`]);
    expect(text).toMatch(/^\d+ scenarios on memory, ws; seed/m);
    expect(text).toMatch(/^@parley\/conformance \d+\.\d+\.\d+\S*, @parley\/core \d+\S*, Node \d+\.\d+\.\d+$/m);
    expect(text).toMatch(/^ {2}ws {6}@parley\/transport-ws \d+\.\d+\.\d+\S*$/m);
    expect(text).toMatch(/^\d+ passed, 0 failed, 0 errors, 0 blocked, 0 unsupported, 0 n\/a;/m);
    expect(code).toBe(0);
  }, 120_000);

  it("is told of one that is named and not installed how to get it", async () => {
    const { code, text } = await shell("npx parley-conformance --transport http --only RR-01");
    expect(text).toContain("@parley/transport-http is not installed: npm install @parley/transport-http");
    expect(code).toBe(1);
  }, 60_000);

  it("runs what the pages say, as they say it, with fewer scenarios", async () => {
    const [server = "", subject = ""] = examples;
    const [port] = await freePorts(1);
    await writeFile(join(project, "server.js"), `${server}console.log("listening");`.replace("7070", `${port}`));
    await writeFile(join(project, "my-wire.ts"), subject);
    const serving = spawn(process.execPath, ["server.js"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(serving.stdout, "data");
      expect(commands.length).toBeGreaterThanOrEqual(8);
      for (const command of new Set(commands)) {
        const comparing = command.startsWith("npx parley-conformance compare");
        const line = `${command.replace(/ --only \S+/, "").replace(":7070", `:${port}`)}${comparing ? "" : " --only RR-01"}`;
        const { code, text } = await shell(line);
        expect({ line, code, text }).toEqual({
          line,
          code: 0,
          text: expect.stringContaining(comparing ? "0 worse" : " 0 failed"),
        });
        // Of which the page says what is compared then.
        if (line.includes("--certificate"))
          for (const name of ["before", "after"])
            await copyFile(join(project, "parley-conformance-ws.json"), join(project, `${name}.json`));
      }
    } finally {
      serving.kill();
      await once(serving, "exit");
    }
    const written = await readdir(project);
    for (const name of ["report.html", "parley-conformance-ws.json", "parley-conformance-ws.svg"])
      expect(written).toContain(name);
  }, 240_000);
});

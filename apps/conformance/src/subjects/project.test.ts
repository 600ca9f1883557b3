import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { subjectRef } from "./index.ts";
import { builtIn, findSubjects, wiresServedAt } from "./project.ts";

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "parley-project-"));
});
afterEach(() => rm(project, { recursive: true }));

const write = async (path: string, content: string | object): Promise<void> => {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), typeof content === "string" ? content : JSON.stringify(content));
};

const summary = () =>
  findSubjects(project).subjects.map(({ name, package: from }) => [name, from && `${from.name} ${from.version}`]);

it("finds what its dependencies declare, and what the project declares itself, after the built-in ones", async () => {
  await write("package.json", {
    ...{ name: "@me/my-wire", version: "3.0.0", parley: { subject: "./conformance.js" } },
    devDependencies: { "carrier-pigeon": "^2.0.0", "no-transport": "1", "not-there": "1" },
  });
  await write("conformance.js", "");
  await write("node_modules/carrier-pigeon/package.json", {
    ...{ name: "carrier-pigeon", version: "2.1.0", parley: { subject: "lib/subject.js" } },
  });
  await write("node_modules/carrier-pigeon/lib/subject.js", "");
  await write("node_modules/no-transport/package.json", { name: "no-transport", version: "1.0.0" });
  expect(summary().slice(builtIn.length)).toEqual([
    ["carrier-pigeon", "carrier-pigeon 2.1.0"],
    ["my-wire", "@me/my-wire 3.0.0"],
  ]);
  expect(summary().slice(0, builtIn.length)).toEqual(builtIn.map((name) => [name, expect.any(String)]));
  expect(subjectRef("carrier-pigeon", project).module).toMatch(/carrier-pigeon\/lib\/subject\.js$/);
});

it("takes a transport from the project rather than from beside the suite", async () => {
  await write("package.json", { private: true });
  await write("node_modules/@parley/transport-ws/package.json", {
    ...{ name: "@parley/transport-ws", version: "9.9.9", type: "module", exports: "./index.js" },
  });
  await write("node_modules/@parley/transport-ws/index.js", "export const ws = () => 'the one of the project';");
  expect(summary()).toContainEqual(["ws", "@parley/transport-ws 9.9.9"]);
  const { module } = subjectRef("ws", project);
  const program = `console.log((await import(${JSON.stringify(module)})).subject.transport({}));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  expect(stdout).toBe("the one of the project\n");
});

it("says of a package that is there and cannot be loaded that it is not complete", async () => {
  await write("node_modules/@parley/transport-ws/package.json", { name: "@parley/transport-ws", main: "./gone.js" });
  expect(() => findSubjects(project)).toThrow(/@parley\/transport-ws is there for .*, but not complete: Cannot find/);
});

it("follows a link to a package, as workspaces have them", async () => {
  await write("elsewhere/package.json", { name: "linked", version: "1.0.0", parley: { subject: "./subject.js" } });
  await write("elsewhere/subject.js", "");
  await write("package.json", { dependencies: { linked: "workspace:*" } });
  await mkdir(join(project, "node_modules"));
  await symlink(join(project, "elsewhere"), join(project, "node_modules/linked"));
  expect(summary()).toContainEqual(["linked", "linked 1.0.0"]);
});

it.each([["./gone.js"], [7], [{}]])("says of a declared subject %j that there is no such file", async (subject) => {
  await write("package.json", { name: "mine", version: "1.0.0", parley: { subject } });
  expect(() => findSubjects(project)).toThrow(
    /package\.json declares the subject .*, and there is no such file: parley\.subject is the path of a module/,
  );
});

it("says which file is no JSON", async () => {
  await write("package.json", "{");
  expect(() => findSubjects(project)).toThrow(/package\.json cannot be read: /);
});

it("knows which wires' servers addresses are: those of brokers are none", () => {
  expect(wiresServedAt(["wss://host/path", "http://127.0.0.1:80"])).toEqual(["ws", "http"]);
  expect(wiresServedAt(["mqtt://host", "mywire://host"])).toEqual([]);
});

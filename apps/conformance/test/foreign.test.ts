import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run } from "../src/run.ts";
import { selectScenarios } from "../src/scenarios/index.ts";
import { commandRef, subjectRef } from "../src/subjects/index.ts";

const directory = import.meta.dirname;

it("a program in Python passes its groups, its own history being the second witness", async () => {
  const report = await run({
    subjects: [subjectRef("./subjects/peer.json", directory)],
    scenarios: selectScenarios(["ENV", "BIN", "RR", "SS", "HS", "ERR", "DL"]),
    seed: "python",
  });
  const open = report.results.filter(({ verdict }) => verdict !== "pass");
  expect(open.map(({ scenario, verdict, message }) => [scenario, verdict === "fail" ? message : verdict])).toEqual([
    ["ENV-04", "n/a"],
    ["ENV-08", "n/a"],
    ["RR-06", "unsupported"],
    ["HS-02", "n/a"],
    ["DL-02", "n/a"],
  ]);
  expect(report.transports).toEqual(["python"]);
  expect(report.results.some(({ witnesses }) => witnesses.includes("handler"))).toBe(true);
}, 120_000);

it("a program that does not introduce itself is an error with its last words", async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-foreign-"));
  await writeFile(join(folder, "mute.py"), "import sys\nsys.exit('no such module: parley')\n");
  const report = await run({
    subjects: [commandRef("python3 mute.py", folder)],
    scenarios: selectScenarios(["RR-01"]),
    seed: "mute",
  });
  await rm(folder, { recursive: true });
  expect(report.results[0]).toMatchObject({
    transport: "mute",
    verdict: "error",
    message: expect.stringContaining("no such module: parley"),
  });
}, 30_000);

it("a command line is split at spaces, quotes kept together", () => {
  expect(commandRef("python3 'my peer.py' --level 2", "/here").program).toEqual({
    command: "python3",
    args: ["my peer.py", "--level", "2"],
    directory: "/here",
  });
  expect(() => commandRef("  ", "/here")).toThrow("--command names no program");
});

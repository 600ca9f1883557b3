import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { processTable } from "./process-table.ts";

it("the table of processes has a child with its arguments for as long as it runs", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()", "a-word-of-its-own"], { stdio: "pipe" });
  await once(child, "spawn");
  const row = () => processTable().find(({ pid }) => pid === child.pid);
  expect(row()).toMatchObject({ parent: process.pid });
  expect(row()?.command).toContain("a-word-of-its-own");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(row()).toBeUndefined();
});

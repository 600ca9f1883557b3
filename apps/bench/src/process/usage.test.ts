import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { childrenOf, ownUsage, sumUsage, usageOf } from "./usage.ts";

const onLinux = process.platform === "linux";

it("a process sees of itself what others see of it", { skip: !onLinux }, () => {
  const [own, seen] = [ownUsage(), usageOf(process.pid)];
  expect(seen.peakMiB).toBeGreaterThanOrEqual(seen.residentMiB);
  expect(seen.peakMiB / own.peakMiB).toBeCloseTo(1);
  expect(seen.residentMiB / own.residentMiB).toBeCloseTo(1, 0);
  expect(seen.cpuSeconds).toBeGreaterThan(0);
});

it("a child is among the children of its parent", { skip: !onLinux }, async () => {
  const child = spawn(process.execPath, ["--eval", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
  await once(child, "spawn");
  expect(childrenOf(process.pid)).toContain(child.pid);
  child.stdin.end();
  await once(child, "exit");
});

it("usage adds up", () => {
  const one = { cpuSeconds: 1, residentMiB: 2, peakMiB: 3 };
  expect(sumUsage([one, one])).toEqual({ cpuSeconds: 2, residentMiB: 4, peakMiB: 6 });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Why a test that needs a program cannot run here; undefined when it can, and in CI, where it has to. */
export function missing(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  if (process.env["CI"] || folders.some((folder) => existsSync(join(folder, program)))) return undefined;
  return `${program} is not installed here`;
}

/** Opens a page in Chromium, without a window, until it is disposed of. */
export async function browse(url: string): Promise<AsyncDisposable> {
  const profile = await mkdtemp(join(tmpdir(), "parley-page-"));
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    `--user-data-dir=${profile}`,
  ];
  const browser = spawn("chromium", [...flags, url], { stdio: "ignore", detached: true });
  await once(browser, "spawn");
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(browser, "exit");
      // The browser is a group of processes of its own.
      process.kill(-(browser.pid as number), "SIGKILL");
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

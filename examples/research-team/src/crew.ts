import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A program of this folder, in a process of its own. */
export interface Hand {
  readonly name: string;
  readonly process: ChildProcess;
  /** Resolves when it has ended, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts a program. It ends with this process, whatever becomes of that. */
export function start(name: string, program: string, options: Readonly<Record<string, string>> = {}): Hand {
  const args = Object.entries(options).map(([key, value]) => `--${key}=${value}`);
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const ended = once(child, "exit").then(([code, signal]: (number | NodeJS.Signals)[]) => code ?? signal ?? 0);
  return { name, process: child, ended };
}

/** The address that a program prints when it listens. */
export async function addressOf({ name, process: { stdout } }: Hand): Promise<string> {
  if (stdout) {
    for await (const line of createInterface({ input: stdout })) {
      const url = / at (\S+)$/.exec(line)?.[1];
      if (url) return url;
    }
  }
  throw new Error(`${name} ended without having said where it is`);
}

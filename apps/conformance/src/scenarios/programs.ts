import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ProcessRow, processTable } from "../process-table.ts";
import type { ChildProgram } from "../subject.ts";

/** Programs that are started in place of the fixture, and what is known of them beside the wire. */
export interface Programs {
  /** One that behaves as its mode says; see the program itself. */
  wayward(mode?: "crash" | "stubborn" | "heir" | "heir-apart" | "brief"): ChildProgram;
  /** A path at which there is nothing. */
  readonly missing: ChildProgram;
  /** A file that may not be executed. */
  readonly plain: ChildProgram;
  /** What they wrote down of themselves. */
  journal(): readonly string[];
  /** Those that run, and what they have left behind. */
  running(): readonly ProcessRow[];
}

/** Runs a scenario with programs of its own; ends what is left of them, and takes their files away. */
export async function withPrograms(run: (programs: Programs) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "parley-conformance-"));
  const journal = join(folder, "journal");
  const plain = join(folder, "plain");
  writeFileSync(plain, "no program");
  const here = import.meta.url;
  const name = here.endsWith(".ts") ? "../serving/wayward-child.ts" : "../serving/wayward-child.js";
  const program = fileURLToPath(new URL(name, here));
  const running = (): readonly ProcessRow[] => processTable().filter(({ command }) => command.includes(journal));
  try {
    await run({
      wayward: (mode = undefined) => ({ command: process.execPath, args: [program, mode ?? "plain", journal] }),
      missing: { command: join(folder, "missing"), args: [] },
      plain: { command: plain, args: [] },
      journal: () => (existsSync(journal) ? readFileSync(journal, "utf8").trimEnd().split("\n") : []),
      running,
    });
  } finally {
    for (const { pid } of running()) kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true });
  }
}

/** Sends a signal to a process that may be gone. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone meanwhile.
  }
}

/** What the table of processes has under that number; a zombie as well. */
export function processOf(pid: number): ProcessRow | undefined {
  return processTable().find((row) => row.pid === pid);
}

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** One process of this machine. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  /** Program and arguments; without these for a zombie, which has ended and waits for whoever started it to ask how. */
  readonly command: string;
}

/** All processes that can be seen from here, zombies as well: from `/proc`, else from `ps`. */
export function processTable(): readonly ProcessRow[] {
  return process.platform === "linux" ? fromProc() : fromPs();
}

function fromProc(): readonly ProcessRow[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // proc(5): pid, (name), state, parent; the name may hold spaces and parentheses.
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trimEnd();
        return [{ pid: Number(pid), parent: Number(parent), command }];
      } catch {
        return []; // it has gone meanwhile
      }
    });
}

function fromPs(): readonly ProcessRow[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => {
    const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

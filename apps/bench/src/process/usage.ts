import { readdirSync, readFileSync } from "node:fs";

/** What a process has used so far. */
export interface Usage {
  /** CPU time of all its threads. */
  readonly cpuSeconds: number;
  /** Memory that it holds now, and the most that it has held. */
  readonly residentMiB: number;
  readonly peakMiB: number;
}

const KIB_PER_MIB = 1024;

/** What this process has used. */
export function ownUsage(): Usage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    residentMiB: process.memoryUsage.rss() / 2 ** 20,
    // Linux counts into `maxRSS` what the process that started this one had held (getrusage(2): it is kept over execve).
    peakMiB: process.platform === "linux" ? memoryOf(process.pid).peakMiB : maxRSS / KIB_PER_MIB,
  };
}

/** What another process has used, from `/proc` (proc(5)): a broker, or a child that speaks over its stdin. NaN elsewhere than on Linux. */
export function usageOf(pid: number): Usage {
  if (process.platform !== "linux") return { cpuSeconds: Number.NaN, residentMiB: Number.NaN, peakMiB: Number.NaN };
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]),
  );
  return {
    cpuSeconds: nanoseconds.reduce((sum, one) => sum + one, 0) / 1e9,
    ...memoryOf(pid),
  };
}

/** As Linux tells it in `/proc`. */
function memoryOf(pid: number): Pick<Usage, "residentMiB" | "peakMiB"> {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mebibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / KIB_PER_MIB;
  return { residentMiB: mebibytes("VmRSS"), peakMiB: mebibytes("VmHWM") };
}

/** The processes that a process has started; none elsewhere than on Linux. */
export function childrenOf(pid: number): readonly number[] {
  if (process.platform !== "linux") return [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}

export function sumUsage(all: readonly Usage[]): Usage {
  const sum = (of: (usage: Usage) => number): number => all.reduce((total, usage) => total + of(usage), 0);
  return {
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    residentMiB: sum(({ residentMiB }) => residentMiB),
    peakMiB: sum(({ peakMiB }) => peakMiB),
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { show } from "./witness.ts";

/** What a process holds at one moment. Crosses process boundaries as it is. */
export interface Snapshot {
  /** Open sockets, servers, timers, children: how many of each type Node calls active. */
  readonly resources: Readonly<Record<string, number>>;
  /** Keys of `Object.prototype`. */
  readonly prototype: readonly string[];
}

/** Requests that end by themselves in this or the next turn, and what belongs to the terminal. */
const passing = new Set([
  "Immediate",
  "TickObject",
  "Microtask",
  "CloseReq",
  "FSReqCallback",
  "FSReqPromise",
  "FileHandleCloseReq",
  "TTYWrap",
  "MessagePort",
]);

/** Looks at this process. */
export function snapshot(): Snapshot {
  const resources: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) {
    if (!passing.has(type)) resources[type] = (resources[type] ?? 0) + 1;
  }
  return { resources, prototype: Reflect.ownKeys(Object.prototype).map(String) };
}

let collectGarbage: ((how: object) => void) | undefined;

/** Memory that this process holds after a collection of garbage, bytes: what is left is held on purpose. */
export function residentBytes(): number {
  if (!collectGarbage) {
    setFlagsFromString("--expose-gc");
    collectGarbage = runInNewContext("gc") as (how: object) => void; // the flag above puts it there
  }
  // As if memory had run out: otherwise V8 keeps what it once had for what may come.
  collectGarbage({ type: "major", execution: "sync", flavor: "last-resort" });
  return process.memoryUsage.rss();
}

/** What is there now and was not before, a sentence each. */
export function leaks(before: Snapshot, after: Snapshot): readonly string[] {
  const more = Object.entries(after.resources)
    .filter(([type, count]) => count > (before.resources[type] ?? 0))
    .map(([type, count]) => `${count - (before.resources[type] ?? 0)} more ${type} than before`);
  const polluted = after.prototype
    .filter((key) => !before.prototype.includes(key))
    .map((key) => `Object.prototype has a new key ${JSON.stringify(key)}`);
  return [...more, ...polluted];
}

/** Looks until nothing has leaked or the time is up. Returns what is left. */
export async function leaksWithin(
  before: Snapshot,
  look: () => Snapshot | Promise<Snapshot>,
  limitMs: number,
): Promise<readonly string[]> {
  const until = performance.now() + limitMs;
  for (;;) {
    const left = leaks(before, await look());
    if (left.length === 0 || performance.now() > until) return left;
    await sleep(5);
  }
}

/** Collects rejections that nobody handled. */
export interface RejectionWatch {
  /** What came in since the last time, a line each. */
  take(): readonly string[];
  stop(): void;
}

/** Watches this process for unhandled rejections; while it does, they do not end it. */
export function watchRejections(): RejectionWatch {
  let seen: string[] = [];
  const listener = (reason: unknown): void => {
    if (seen.length < 20) seen.push(show(reason).split("\n", 4).join("\n"));
  };
  process.on("unhandledRejection", listener);
  return {
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () => void process.off("unhandledRejection", listener),
  };
}

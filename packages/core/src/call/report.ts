import type { ParleyError } from "./error.ts";
import type { Log, LogEntry } from "./log.ts";

const reported = new WeakSet<ParleyError>();

/** Tells the log of an error, once, however many layers of one process it passes through. */
export function report(log: Log | undefined, error: ParleyError, entry: Omit<LogEntry, "error">): void {
  if (!log || reported.has(error)) return;
  reported.add(error);
  log({ ...entry, error });
}

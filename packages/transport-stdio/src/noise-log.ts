import type { Log } from "@parley/core/transport";

/** Tells the log of lines that are skipped: of the first as a warning, which says what to do, of others in passing. */
export function noiseLog(log: Log | undefined, problem: string): (bytes: number) => void {
  let noticed = false;
  return (bytes) => {
    log?.({
      level: noticed ? "debug" : "warn",
      event: "noise-line",
      message: noticed ? "a line was skipped as noise" : `${problem}; they are skipped: log to stderr`,
      fields: { bytes },
    });
    noticed = true;
  };
}

import type { RuntimeParts } from "./runtime.ts";

/** Resolves after the time, or as soon as the signal is aborted; leaves nothing behind. */
export function pause(delayMs: number, signal: AbortSignal, runtime: Pick<RuntimeParts, "setTimer">): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      cancelTimer();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancelTimer = runtime.setTimer(done, delayMs);
    signal.addEventListener("abort", done);
  });
}

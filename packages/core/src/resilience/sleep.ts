import type { AbortListener, Call } from "../call/call.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** Waits so long; rejects at once, with the reason, when the call is aborted. Leaves nothing behind. */
export function sleep(delayMs: number, call: Call, runtime: Runtime): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      call.offAbort(listener);
      resolve();
    };
    const cancelTimer = runtime.setTimer(over, delayMs);
    const listener: AbortListener = {
      callAborted(reason) {
        cancelTimer();
        reject(reason);
      },
    };
    call.onAbort(listener);
  });
}

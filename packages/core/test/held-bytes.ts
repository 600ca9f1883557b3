import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is held on purpose: after a collection of garbage. */
export function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)(); // the flag puts it there
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

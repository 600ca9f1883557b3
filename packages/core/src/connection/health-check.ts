import { type ParleyError, toParleyError } from "../call/error.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { within } from "../runtime/within.ts";
import { type Closable, probeOf } from "./closable.ts";

/** How one connection fares. */
export interface ConnectionHealth {
  /** Its own word for it, `"open"` where it has none; `"idle"` for a name that has no connection at present, `"connecting"` while one is opened. */
  readonly state: string;
  /** Whether it is of use: not closed, not away, and it answered. */
  readonly healthy: boolean;
  /** How long a sign of life took, ms. */
  readonly roundTripMs?: number | undefined;
  /** What was last wrong. */
  readonly lastError?: ParleyError | undefined;
}

/** States in which nothing can be had of a connection. */
const away: ReadonlySet<string> = new Set(["reconnecting", "draining", "closed"]);

/** Asks a connection how it fares, waiting no longer than told. Never rejects. */
export async function checkHealth(one: Closable, timeoutMs: number, runtime: Runtime): Promise<ConnectionHealth> {
  const probe = probeOf(one);
  const stated = typeof probe.state === "string" ? probe.state : "open";
  if (typeof probe.health !== "function") return { state: stated, healthy: !away.has(stated) };
  try {
    const asked = Promise.resolve(probe.health({ timeoutMs }));
    const { state, roundTripMs, lastError } = await within(asked, { timeoutMs }, runtime, "no answer came", "unknown");
    // Without a sign of life the last error is why there was none.
    const healthy = !away.has(state) && (roundTripMs !== undefined || lastError === undefined);
    return { state, healthy, roundTripMs, lastError };
  } catch (thrown) {
    return { state: stated, healthy: false, lastError: toParleyError(thrown) };
  }
}

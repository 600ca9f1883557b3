import { ParleyError } from "../call/error.ts";
import type { CancelTimer, Runtime } from "../runtime/runtime.ts";
import type { NamedHealth } from "./manager.ts";

/** A name has become healthy, or is not any more. */
export interface HealthChange {
  readonly name: string;
  readonly healthy: boolean;
  /** All its connections. */
  readonly connections: readonly NamedHealth[];
}

/** What a monitor takes. */
export interface MonitorOptions {
  /** From the end of one round to the begin of the next, ms. @default 30_000 */
  readonly intervalMs?: number | undefined;
  /** How long a connection may take to answer, ms. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** Told after each round. */
  onReport?(report: readonly NamedHealth[]): void;
  /** Told when a name has become healthy or unhealthy since the round before; in the first round of those that are not. */
  onChange?(change: HealthChange): void;
}

/**
 * Looks at all connections again and again; gives back what stops it. Rounds do not overlap.
 * @throws ParleyError `invalid_argument` for an interval of nothing
 */
export function watchHealth(
  check: (timeoutMs: number) => Promise<readonly NamedHealth[]>,
  { intervalMs = 30_000, timeoutMs = 5_000, onReport, onChange }: MonitorOptions,
  runtime: Runtime,
): () => void {
  if (!(intervalMs > 0)) {
    throw new ParleyError("invalid_argument", `intervalMs is ${String(intervalMs)}, and must be more than 0`, {
      outcome: "not-sent",
    });
  }
  let stopped = false;
  let cancelTimer: CancelTimer | undefined;
  let before = new Map<string, boolean>();

  const round = async (): Promise<void> => {
    const report = await check(timeoutMs);
    if (stopped) return;
    // First of all, so that a listener that throws ends nothing.
    cancelTimer = runtime.setTimer(() => void round(), intervalMs);
    const after = new Map<string, boolean>();
    for (const { name, healthy } of report) after.set(name, healthy && (after.get(name) ?? true));
    const changed = [...after].filter(([name, healthy]) => (before.get(name) ?? true) !== healthy);
    before = after;
    onReport?.(report);
    for (const [name, healthy] of changed)
      onChange?.({ name, healthy, connections: report.filter((one) => one.name === name) });
  };

  void round();
  return () => {
    stopped = true;
    cancelTimer?.();
  };
}

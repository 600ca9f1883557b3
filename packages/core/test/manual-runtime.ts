import { createRuntime, type Runtime, systemRuntime } from "../src/runtime/runtime.ts";

/** A runtime whose clock stands still until it is told. */
export interface ManualRuntime {
  readonly runtime: Runtime;
  /** Moves the clock, running the timers that fall due, in order. */
  advance(byMs: number): void;
  /** Moves the clock while nothing runs, as a process that was stopped finds it: the timers that fell due run late, when it is advanced. */
  pause(byMs: number): void;
  /** Timers that wait. */
  readonly timers: number;
}

/** Makes one; its clock starts at 1,000 ms. */
export function manualRuntime(): ManualRuntime {
  let now = 1_000;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const runtime = createRuntime({
    now: () => now,
    date: () => 1_700_000_000_000 + now,
    randomBytes: (target) => systemRuntime.randomBytes(target),
    setTimer(run, delayMs) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    defer: (run) => systemRuntime.defer(run),
    nextTurn: (run) => systemRuntime.nextTurn(run),
  });
  return {
    runtime,
    advance(byMs) {
      const until = now + byMs;
      for (;;) {
        const [due] = [...timers].filter(({ at }) => at <= until).sort((left, right) => left.at - right.at);
        if (!due) break;
        now = Math.max(now, due.at);
        timers.delete(due);
        due.run();
      }
      now = until;
    },
    pause(byMs) {
      now += byMs;
    },
    get timers() {
      return timers.size;
    },
  };
}

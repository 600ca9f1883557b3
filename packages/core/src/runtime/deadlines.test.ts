import { describe, expect, it } from "vitest";
import { type DeadlineListener, Deadlines } from "./deadlines.ts";

/** A clock that stands still until it is told, with timers that may run late or early, as those of a busy process do. */
class ManualClock {
  ms = 1_000;
  /** Times that a timer ran, and that one was set. */
  wakes = 0;
  sets = 0;
  /** What waits for the end of the turn, while turns are told apart. */
  deferred: (() => void)[] | undefined;
  readonly timers: Set<{ readonly at: number; readonly run: () => void }> = new Set();
  readonly deadlines: Deadlines = new Deadlines({
    now: () => this.ms,
    setTimer: (run, delayMs) => {
      const timer = { at: this.ms + delayMs, run };
      this.sets++;
      this.timers.add(timer);
      return () => void this.timers.delete(timer);
    },
    defer: (run) => {
      if (this.deferred) this.deferred.push(run);
      else run();
    },
  });

  /** Runs the timers that are due, with the clock where it is. */
  fire(earlyMs = 0): void {
    for (const timer of [...this.timers]) {
      if (timer.at > this.ms + earlyMs) continue;
      this.timers.delete(timer);
      this.wakes++;
      timer.run();
    }
  }

  /** Moves the clock, running each timer at its time. */
  advance(byMs: number): void {
    const until = this.ms + byMs;
    for (;;) {
      const next = Math.min(...[...this.timers].map(({ at }) => at));
      if (next > until) break;
      this.ms = Math.max(this.ms, next);
      this.fire();
    }
    this.ms = until;
  }

  /** Notes the times at which it is told. */
  listener(): DeadlineListener & { readonly told: number[] } {
    const told: number[] = [];
    return { told, onDeadline: () => void told.push(this.ms) };
  }
}

/** How late each listener was told, once. */
function lateness(all: readonly { readonly at: number; readonly listener: { readonly told: number[] } }[]): number[] {
  return all.map(({ at, listener: { told } }) => {
    expect(told).toHaveLength(1);
    return (told[0] as number) - at;
  });
}

describe("a deadline", () => {
  it("is reported once, after its instant and within 8 ms of it", () => {
    const clock = new ManualClock();
    const all = Array.from({ length: 500 }, (_, n) => ({ at: clock.ms + 1 + n * 13.37, listener: clock.listener() }));
    for (const { at, listener } of all.toReversed()) clock.deadlines.add(at, listener);
    clock.advance(10_000);
    const late = lateness(all);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThanOrEqual(8);
    expect([clock.deadlines.size, clock.timers.size]).toEqual([0, 0]);
  });

  it("several rounds of the wheel ahead waits for its own", () => {
    const clock = new ManualClock();
    const all = [1, 2, 3, 30].map((round) => ({ at: clock.ms + round * 256 * 8, listener: clock.listener() }));
    for (const { at, listener } of all) clock.deadlines.add(at, listener);
    clock.advance(100_000);
    const late = lateness(all);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThanOrEqual(8);
  });

  it("that has passed is reported soon, and not at once", () => {
    const clock = new ManualClock();
    const listener = clock.listener();
    clock.deadlines.add(clock.ms - 5_000, listener);
    clock.deadlines.add(clock.ms, listener);
    expect(listener.told).toEqual([]);
    clock.advance(16);
    expect(listener.told).toHaveLength(2);
  });

  it("that passed while the process slept is reported when it wakes, however long it slept", () => {
    const clock = new ManualClock();
    const past = Array.from({ length: 1_000 }, (_, n) => ({ at: clock.ms + n * 7, listener: clock.listener() }));
    const future = clock.listener();
    for (const { at, listener } of past) clock.deadlines.add(at, listener);
    clock.deadlines.add(clock.ms + 60_000, future);
    clock.ms += 30_000;
    clock.fire();
    expect(lateness(past).every((late) => late >= 0)).toBe(true);
    expect(future.told).toEqual([]);
    clock.advance(30_008);
    expect(future.told).toHaveLength(1);
  });

  it("is not reported early by a timer that is", () => {
    const clock = new ManualClock();
    const listener = clock.listener();
    const at = clock.ms + 100;
    clock.deadlines.add(at, listener);
    clock.ms = at - 1.5;
    clock.fire(100);
    expect(listener.told).toEqual([]);
    clock.advance(20);
    expect(lateness([{ at, listener }])[0]).toBeGreaterThanOrEqual(0);
  });

  it("that is not finite is never reported, and holds up no other", () => {
    const clock = new ManualClock();
    const [never, soon] = [clock.listener(), clock.listener()];
    const watched = [Number.POSITIVE_INFINITY, Number.NaN].map((at) => clock.deadlines.add(at, never));
    expect(clock.timers.size).toBe(0);
    clock.deadlines.add(clock.ms + 10, soon);
    clock.advance(1e6);
    expect([never.told.length, soon.told.length]).toEqual([0, 1]);
    for (const one of watched) clock.deadlines.remove(one);
    expect(clock.deadlines.size).toBe(0);
  });

  it("that is removed is never reported and leaves nothing behind, wherever it stood in its slot", () => {
    const clock = new ManualClock();
    const listener = clock.listener();
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
      [1, 2, 0],
    ]) {
      const watched = [5, 5, 5].map((inMs) => clock.deadlines.add(clock.ms + inMs, listener));
      for (const index of order) {
        const one = watched[index];
        if (one) clock.deadlines.remove(one);
      }
      expect([clock.deadlines.size, clock.timers.size]).toEqual([0, 0]);
    }
    clock.advance(10_000);
    expect(listener.told).toEqual([]);
  });

  it("may be removed twice, or after it was reported, or while another of its instant is", () => {
    const clock = new ManualClock();
    const other = clock.listener();
    const first = clock.deadlines.add(clock.ms + 5, { onDeadline: () => clock.deadlines.remove(first) });
    clock.deadlines.add(clock.ms + 5, other);
    clock.advance(20);
    expect(other.told).toHaveLength(1);
    clock.deadlines.remove(first);
    clock.deadlines.remove(first);
    expect(clock.deadlines.size).toBe(0);
  });

  it("that another removes, though both are due at once, is not reported", () => {
    const clock = new ManualClock();
    const told: string[] = [];
    // Whichever comes first, as the end of a call takes away what else was to happen to it.
    const one = clock.deadlines.add(clock.ms + 5, {
      onDeadline: () => told.push("one") && clock.deadlines.remove(other),
    });
    const other = clock.deadlines.add(clock.ms + 7, {
      onDeadline: () => told.push("other") && clock.deadlines.remove(one),
    });
    clock.ms += 100;
    clock.fire();
    expect(told).toHaveLength(1);
    expect([clock.deadlines.size, clock.timers.size]).toEqual([0, 0]);
  });

  it("can be added by what another tells", () => {
    const clock = new ManualClock();
    const chained = clock.listener();
    clock.deadlines.add(clock.ms + 5, { onDeadline: () => void clock.deadlines.add(clock.ms + 5, chained) });
    clock.advance(40);
    expect(chained.told).toHaveLength(1);
    expect(clock.timers.size).toBe(0);
  });
});

describe("all deadlines together", () => {
  it("need one timer, which sleeps until the first and is off when there is none", () => {
    const clock = new ManualClock();
    const watched = Array.from({ length: 10_000 }, (_, n) =>
      clock.deadlines.add(clock.ms + 1_000 + (n % 50), clock.listener()),
    );
    expect([clock.timers.size, clock.deadlines.size]).toEqual([1, 10_000]);
    clock.advance(990);
    expect(clock.wakes).toBe(0);
    for (const one of watched) clock.deadlines.remove(one);
    expect([clock.timers.size, clock.deadlines.size]).toEqual([0, 0]);
  });

  it("that come and go within one turn set one timer, which is off when the turn ends", () => {
    const clock = new ManualClock();
    const deferred: (() => void)[] = [];
    clock.deferred = deferred;
    for (let n = 0; n < 1_000; n++) clock.deadlines.remove(clock.deadlines.add(clock.ms + 1_000 + n, clock.listener()));
    expect([clock.sets, clock.timers.size, deferred.length]).toEqual([1, 1, 1]);
    deferred.pop()?.();
    expect(clock.timers.size).toBe(0);
    const listener = clock.listener();
    clock.deadlines.remove(clock.deadlines.add(clock.ms + 10, clock.listener()));
    clock.deadlines.add(clock.ms + 20, listener);
    deferred.pop()?.();
    clock.advance(40);
    expect(listener.told).toHaveLength(1);
  });

  it("wake it earlier for an earlier one", () => {
    const clock = new ManualClock();
    const [late, early] = [clock.listener(), clock.listener()];
    clock.deadlines.add(clock.ms + 60_000, late);
    clock.advance(30_000);
    clock.deadlines.add(clock.ms + 10, early);
    expect(clock.timers.size).toBe(1);
    clock.advance(20);
    expect([early.told.length, late.told.length]).toEqual([1, 0]);
    clock.advance(30_000);
    expect(late.told).toHaveLength(1);
  });

  it("are the same as a list that is looked through at every step, whatever comes and goes", () => {
    let seed = 42;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const clock = new ManualClock();
    const open = new Map<number, { readonly at: number; readonly watched: ReturnType<typeof clock.deadlines.add> }>();
    for (let n = 0; n < 2_000; n++) {
      const at = clock.ms + random() ** 3 * 10_000;
      const onDeadline = () => {
        expect(clock.ms).toBeGreaterThanOrEqual(at);
        expect(open.delete(n)).toBe(true);
      };
      open.set(n, { at, watched: clock.deadlines.add(at, { onDeadline }) });
      if (random() < 0.5) {
        const [key, one] = [...open][Math.floor(random() * open.size)] ?? [];
        if (key !== undefined && one) {
          open.delete(key);
          clock.deadlines.remove(one.watched);
        }
      }
      clock.advance(random() * 10);
      expect([...open.values()].filter(({ at: due }) => due + 16 < clock.ms)).toEqual([]);
      expect(clock.deadlines.size).toBe(open.size);
    }
  });
});

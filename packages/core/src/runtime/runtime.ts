import { Deadlines } from "./deadlines.ts";

/** Takes back a timer; calling it twice, or after the timer ran, does nothing. */
export type CancelTimer = () => void;

/** The four things core asks of its surroundings. A simulation supplies its own and thereby owns time, chance and order. */
export interface RuntimeParts {
  /** Monotonic milliseconds, with fractions. Deadlines are instants on this clock. */
  now(): number;
  /** Wall clock, milliseconds since 1970-01-01 UTC. Used for `time` attributes and ids, never to decide anything. */
  date(): number;
  /** Fills the array with random bytes fit for ids that nobody must guess. */
  randomBytes(target: Uint8Array): void;
  /** Runs `run` once, `delayMs` from now, and keeps the process alive until then. */
  setTimer(run: () => void, delayMs: number): CancelTimer;
  /** Runs `run` when the present turn ends: after promises already due, before the next I/O event. */
  defer(run: () => void): void;
  /** Runs `run` in a turn of its own, after the I/O events that are due. */
  nextTurn(run: () => void): void;
}

/** What all of core runs on: the parts above, and the deadlines that share one timer. */
export interface Runtime extends RuntimeParts {
  readonly deadlines: Deadlines;
}

/** Makes a runtime from its parts. */
export function createRuntime(parts: RuntimeParts): Runtime {
  const deadlines = new Deadlines(parts);
  return {
    now: () => parts.now(),
    date: () => parts.date(),
    randomBytes: (target) => parts.randomBytes(target),
    setTimer: (run, delayMs) => parts.setTimer(run, delayMs),
    defer: (run) => parts.defer(run),
    nextTurn: (run) => parts.nextTurn(run),
    deadlines,
  };
}

/** Longest delay that `setTimeout` takes; a greater one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Kept, since each look for it on the global object takes as long as a third of a look at the clock. */
const { performance } = globalThis;

/** What Node has and a browser has not. */
const { process, setImmediate } = globalThis as {
  readonly process?: { readonly nextTick?: (run: () => void) => void };
  readonly setImmediate?: (run: () => void) => void;
};

/** The process's own clock, timers, randomness and turn. What every `runtime` option defaults to. */
export const systemRuntime: Runtime = createRuntime({
  now: () => performance.now(),
  date: () => Date.now(),
  randomBytes: (target) => {
    crypto.getRandomValues(target as Uint8Array<ArrayBuffer>);
  },
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, Math.min(delayMs, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
  // nextTick runs after the microtasks of the turn, so that everything they send leaves in one write.
  defer: process?.nextTick ?? ((run) => queueMicrotask(run)),
  nextTurn: setImmediate ?? turnsByMessage(),
});

/** The end of a message channel that each message gives a turn of its own. */
interface Turns {
  postMessage(message: undefined): void;
}

/** Turns of a browser. Not by its timers, which it holds back for seconds while a page is in the background. */
function turnsByMessage(): (run: () => void) => void {
  let turns: Turns | undefined;
  const due: (() => void)[] = [];
  const open = (): Turns => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => due.shift()?.());
    port1.start();
    return port2;
  };
  return (run) => {
    turns ??= open();
    due.push(run);
    turns.postMessage(undefined);
  };
}

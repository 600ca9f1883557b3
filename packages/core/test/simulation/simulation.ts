import { createHash } from "node:crypto";
import { createRuntime, type Runtime } from "../../src/runtime/runtime.ts";
import { Random } from "./random.ts";

interface Event {
  readonly at: number;
  /** Orders events of one instant, at random. */
  readonly order: number;
  readonly run: () => void;
}

/** A process of a simulation: what runs in it, and ends with it. */
export interface SimulatedProcess {
  readonly name: string;
  readonly runtime: Runtime;
  /** False after {@link crash}. */
  readonly alive: boolean;
  /** Timers that are set. */
  readonly timers: number;
  /** Nothing of it runs any more: its timers and turns are dropped. */
  crash(): void;
}

/**
 * Virtual time, chance and order, all from one seed: events run one after the other, each followed by the promises it settles. Equal
 * times are ordered at random. The same seed and program give the same {@link trace}.
 */
export class Simulation {
  readonly random: Random;
  readonly #heap: Event[] = [];
  readonly #hash = createHash("sha256");
  readonly #told: string[] | undefined;
  #deferred: (() => void)[] = [];
  #now = 0;
  #events = 0;

  /** With `keepTrace` what happened can be read afterwards; otherwise there is only its hash. */
  constructor(seed: number, { keepTrace = false }: { readonly keepTrace?: boolean } = {}) {
    this.random = new Random(seed);
    this.#told = keepTrace ? [] : undefined;
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  /** Events that have run. */
  get events(): number {
    return this.#events;
  }

  /** What was told, line by line. */
  get trace(): readonly string[] {
    return this.#told ?? [];
  }

  /** Adds a line to the trace. */
  tell(line: string): void {
    const full = `${this.#now.toFixed(3)} ${line}`;
    this.#hash.update(`${full}\n`);
    this.#told?.push(full);
  }

  /** Digest of the trace; to be asked for once. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /** Runs something later; gives back what takes it off. */
  after(delayMs: number, run: () => void): () => void {
    let live = true;
    this.#push({ at: this.#now + Math.max(0, delayMs), order: this.random.next(), run: () => live && run() });
    return () => {
      live = false;
    };
  }

  /** Makes a process with a runtime of its own. */
  process(name: string): SimulatedProcess {
    let alive = true;
    const timers = new Set<() => void>();
    const ifAlive = (run: () => void) => (): void => {
      if (alive) run();
    };
    const runtime = createRuntime({
      now: () => this.#now,
      date: () => Date.UTC(2026, 0, 1) + this.#now,
      randomBytes: (target) => {
        for (let at = 0; at < target.length; at++) target[at] = this.random.whole(0, 255);
      },
      setTimer: (run, delayMs) => {
        const fire = ifAlive(run);
        timers.add(fire);
        const cancel = this.after(delayMs, () => {
          timers.delete(fire);
          fire();
        });
        return () => {
          timers.delete(fire);
          cancel();
        };
      },
      defer: (run) => void this.#deferred.push(ifAlive(run)),
      nextTurn: (run) => void this.after(0, ifAlive(run)),
    });
    return {
      name,
      runtime,
      get alive() {
        return alive;
      },
      get timers() {
        return timers.size;
      },
      crash: () => {
        this.tell(`${name} crashes`);
        alive = false;
        timers.clear();
      },
    };
  }

  /** Runs events until there are none, or `untilMs` is reached, or `done` says so. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    await this.#settle();
    while (!done()) {
      const next = this.#heap[0];
      if (!next || next.at > untilMs) break;
      this.#pop();
      this.#now = next.at;
      this.#events++;
      next.run();
      await this.#settle();
    }
  }

  /** Lets promises settle, then runs what waits for the end of the turn, until nothing does. */
  async #settle(): Promise<void> {
    await microtasks();
    while (this.#deferred.length > 0) {
      const deferred = this.#deferred;
      this.#deferred = [];
      for (const run of deferred) run();
      await microtasks();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(event, heap[above] as Event)) break;
      heap[at] = heap[above] as Event;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1] as Event, heap[below] as Event)) below++;
      if (!before(heap[below] as Event, last)) break;
      heap[at] = heap[below] as Event;
      at = below;
    }
    heap[at] = last;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Resolves when all promises that are due have settled: a turn of the real event loop. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import type { Simulation } from "./simulation.ts";

/** One direction between two processes: what is sent arrives in its order, after a delay, unless something goes wrong. */
export class Lane {
  readonly #simulation: Simulation;
  readonly #alive: () => boolean;
  #clearAt = 0;
  #epoch = 0;
  #muted = false;
  #over = false;

  /** @param alive Whether the receiver can still take what arrives. */
  constructor(simulation: Simulation, alive: () => boolean) {
    this.#simulation = simulation;
    this.#alive = alive;
  }

  /** Runs `arrive` when it has arrived. */
  send(arrive: () => void): void {
    if (!this.#over && !this.#muted) this.#later(arrive);
  }

  /** Swallows what is under way and what follows. */
  mute(): void {
    this.#muted = true;
    this.#epoch++;
  }

  stall(ms: number): void {
    this.#clearAt = Math.max(this.#clearAt, this.#simulation.now + ms);
  }

  /** What is under way is lost from now on; soon after, `noticed` runs. */
  cut(noticed: () => void): void {
    if (this.#over) return;
    this.#over = true;
    const epoch = ++this.#epoch;
    this.#simulation.after(this.#simulation.random.next() * 3, () => {
      if (this.#epoch === epoch && this.#alive()) noticed();
    });
  }

  /** Nothing more is sent: `ended` runs after what was has arrived. */
  finish(ended: () => void): void {
    if (this.#over) return;
    this.#later(ended);
    this.#over = true;
  }

  #later(run: () => void): void {
    const { random, now } = this.#simulation;
    const epoch = this.#epoch;
    // Always later than what went before: the lane keeps the order.
    this.#clearAt = Math.max(this.#clearAt + 1e-6, now + random.next() * (random.chance(0.05) ? 40 : 2));
    this.#simulation.after(this.#clearAt - now, () => {
      if (this.#epoch === epoch && this.#alive()) run();
    });
  }
}

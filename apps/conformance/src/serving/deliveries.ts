/** A message of a box, as scenarios that send at least once number them. */
export interface Delivery {
  readonly box: string;
  /** From 1. */
  readonly n: number;
  /** All of one window may be on their way together; the next is sent when all are answered. */
  readonly window: number;
}

/** What became of a box. */
export interface Tally {
  /** Messages that arrived, each counted once. */
  readonly distinct: number;
  /** Arrivals of messages that had arrived before. */
  readonly repeated: number;
  /** Messages that arrived for the first time after one of a later window. */
  readonly disordered: number;
  /** Keys that came with different messages. */
  readonly conflicting: number;
}

interface Box {
  /** Numbers by key. */
  readonly seen: Map<string, number>;
  repeated: number;
  disordered: number;
  conflicting: number;
  window: number;
}

/** Boxes by name, each of which takes a message once however often it arrives. Lives as long as a scenario. */
export class Deliveries {
  readonly #boxes = new Map<string, Box>();

  /** Takes a message; the same key is the same message. Whether it came for the first time. */
  take({ box: name, n, window }: Delivery, key: string): boolean {
    const box = this.#box(name);
    const known = box.seen.get(key);
    if (known !== undefined) {
      box.repeated++;
      if (known !== n) box.conflicting++;
      return false;
    }
    box.seen.set(key, n);
    if (window < box.window) box.disordered++;
    box.window = Math.max(box.window, window);
    return true;
  }

  tally(name: string): Tally {
    const { seen, repeated, disordered, conflicting } = this.#box(name);
    return { distinct: seen.size, repeated, disordered, conflicting };
  }

  #box(name: string): Box {
    const box = this.#boxes.get(name) ?? { seen: new Map(), repeated: 0, disordered: 0, conflicting: 0, window: 0 };
    this.#boxes.set(name, box);
    return box;
  }
}

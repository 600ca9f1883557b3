/** Holds a value of a {@link SlotMap} for as long as it is in there. No literal, for the reason that `LeadingAttributes` are none. */
class Slot<V> {
  value: V | undefined;

  constructor(value: V) {
    this.value = value;
  }
}

/**
 * A map of what comes and goes with every call. A Map that is written all the time leaves old tables behind (V8 makes a new one every so
 * many deletions), and those that the garbage collector has promoted keep what they hold until its next full run: with calls in them, every
 * message of the connection would be promoted too. Here they hold slots, which are emptied when a value is deleted.
 */
export class SlotMap<K, V> {
  readonly #slots = new Map<K, Slot<V>>();

  get size(): number {
    return this.#slots.size;
  }

  has(key: K): boolean {
    return this.#slots.has(key);
  }

  get(key: K): V | undefined {
    return this.#slots.get(key)?.value;
  }

  /** A value that was there gives way. */
  set(key: K, value: V): void {
    this.#slots.set(key, new Slot(value));
  }

  /** Whether there was a value. */
  delete(key: K): boolean {
    const slot = this.#slots.get(key);
    if (!slot) return false;
    slot.value = undefined;
    return this.#slots.delete(key);
  }

  /** Those of the moment, in the order in which they were set, but for what is deleted before its turn comes. */
  *values(): Generator<V, void, undefined> {
    for (const { value } of [...this.#slots.values()]) if (value !== undefined) yield value;
  }
}

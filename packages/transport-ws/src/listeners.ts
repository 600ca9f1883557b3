/** Functions that are told of events by name. What one of them throws ends no other, and is an uncaught error of the process. */
export class Listeners<Events> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Adds one; gives back what takes it off again. */
  add<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    // Of its own, so that the same function may be added twice.
    const added = (event: Events[Name]): void => listener(event);
    this.#listeners.set(name, listeners.add(added));
    return () => void listeners.delete(added);
  }

  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  tell<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        // Added under this name, which says what it takes.
        (listener as (event: Events[Name]) => void)(event);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  }
}

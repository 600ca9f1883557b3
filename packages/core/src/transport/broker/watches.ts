import type { Broker } from "./broker.ts";

/** Depends on a process of which it knows the inbox. */
export interface Watcher {
  /** The broker says that the process has vanished. */
  peerGone(): void;
}

interface Watched {
  readonly watchers: Set<Watcher>;
  stop(): void;
}

/** The processes whose end the broker is asked to tell: each once, however many calls depend on it. */
export class Watches {
  readonly #broker: Broker;
  readonly #watched = new Map<string, Watched>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Tells the watcher once when the process is gone. Without presence: never. */
  add(inbox: string, watcher: Watcher): void {
    const known = this.#watched.get(inbox);
    if (known) return void known.watchers.add(watcher);
    const watchers = new Set([watcher]);
    const stop = this.#broker.watch?.(inbox, () => {
      this.#watched.delete(inbox);
      for (const one of [...watchers]) one.peerGone();
    });
    if (stop) this.#watched.set(inbox, { watchers, stop });
  }

  /** Takes back {@link add}. */
  remove(inbox: string, watcher: Watcher): void {
    const known = this.#watched.get(inbox);
    if (!known?.watchers.delete(watcher) || known.watchers.size > 0) return;
    this.#watched.delete(inbox);
    known.stop();
  }
}

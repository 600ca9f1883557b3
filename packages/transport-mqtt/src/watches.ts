import { goneTopic } from "./layout.ts";
import type { Link } from "./link.ts";
import type { Routes } from "./routes.ts";

/** Subscriptions that are kept although nobody watches just now, since the same replicas are called again and again. */
const MAX_IDLE = 64;

interface Watch {
  readonly listeners: Set<() => void>;
  /** Takes the subscription back. */
  readonly stop: Promise<() => Promise<void>>;
}

/** Watches whether other processes vanish, by their last wills. One subscription each, however often it is watched. */
export class Watches {
  readonly #link: Link;
  readonly #routes: Routes;
  /** By inbox; those that nobody watches stand in the order in which they became so. */
  readonly #watches = new Map<string, Watch>();
  #idle = 0;

  constructor(link: Link, routes: Routes) {
    this.#link = link;
    this.#routes = routes;
  }

  /** Calls `gone` once when the owner of the inbox vanishes. @returns a function that takes it back */
  add(inbox: string, gone: () => void): () => void {
    const watch = this.#watches.get(inbox) ?? this.#start(inbox);
    if (watch.listeners.size === 0 && this.#watches.get(inbox) === watch) this.#idle--;
    // One of its own for each call, as the same function may be given twice.
    const listener = (): void => gone();
    watch.listeners.add(listener);
    return () => {
      if (!watch.listeners.delete(listener) || watch.listeners.size > 0) return;
      if (this.#watches.get(inbox) !== watch) return;
      this.#watches.delete(inbox);
      this.#watches.set(inbox, watch);
      this.#idle++;
      this.#trim();
    };
  }

  #start(inbox: string): Watch {
    const listeners = new Set<() => void>();
    const told = (): void => {
      const all = [...listeners];
      listeners.clear();
      if (this.#watches.get(inbox) === watch) {
        this.#watches.delete(inbox);
        if (all.length === 0) this.#idle--;
      }
      void watch.stop.then((stop) => stop());
      for (const listener of all) listener();
    };
    // Refused: nothing is noticed early, and leases still tell.
    const stop = this.#routes
      .add(this.#link, goneTopic(inbox), { qos: 1, retained: false }, told)
      .catch(() => () => Promise.resolve());
    const watch: Watch = { listeners, stop };
    this.#watches.set(inbox, watch);
    this.#idle++;
    return watch;
  }

  #trim(): void {
    for (const [inbox, { listeners, stop }] of this.#watches) {
      if (this.#idle <= MAX_IDLE) return;
      if (listeners.size > 0) continue;
      this.#watches.delete(inbox);
      this.#idle--;
      void stop.then((end) => end());
    }
  }
}

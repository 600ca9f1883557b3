/** Gates by name that handlers wait at until the suite opens them. One that is opened first lets through at once. */
export class Gates {
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();

  /** Waits at a gate; a signal that aborts ends the wait with its reason. */
  async pass(name: string, signal?: AbortSignal): Promise<void> {
    const { promise } = this.#gate(name);
    if (!signal) return promise;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      await Promise.race([promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  open(name: string): void {
    this.#gate(name).resolve();
  }

  /** Opens all that anybody waits at. */
  openAll(): void {
    for (const gate of this.#gates.values()) gate.resolve();
  }

  #gate(name: string): PromiseWithResolvers<void> {
    const gate = this.#gates.get(name) ?? Promise.withResolvers<void>();
    this.#gates.set(name, gate);
    return gate;
  }
}

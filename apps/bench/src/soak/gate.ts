/** What calls pass, so that there are moments without any. */
export class Gate {
  #underWay = 0;
  #closed: PromiseWithResolvers<void> | undefined;
  #idle: (() => void) | undefined;

  /** Runs a call, once the gate is open. */
  async pass(call: () => Promise<void>): Promise<void> {
    while (this.#closed) await this.#closed.promise;
    this.#underWay++;
    try {
      await call();
    } finally {
      if (--this.#underWay === 0) this.#idle?.();
    }
  }

  /** Closes the gate, looks when no call is under way, and opens it again. One at a time. */
  async whenIdle(look: () => void): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#closed = closed;
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#idle = undefined;
    look();
    this.#closed = undefined;
    closed.resolve();
  }
}

/** Input that a scenario pushes item by item. */
export class Feed implements AsyncIterable<unknown> {
  readonly #items: unknown[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  push(item: unknown): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** No more will come. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    for (let at = 0; ; at++) {
      while (at >= this.#items.length) {
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      yield this.#items[at];
    }
  }
}

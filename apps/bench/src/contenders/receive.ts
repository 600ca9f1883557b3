/**
 * Reads a subscription to its end in the background. It may end only once this side closes: otherwise the process fails, and the
 * run with it.
 */
export function receive<Item>(items: AsyncIterable<Item>, received: (item: Item) => void, closing: AbortSignal): void {
  void (async () => {
    try {
      for await (const item of items) received(item);
    } catch (error) {
      if (!closing.aborted) throw error;
    }
  })();
}

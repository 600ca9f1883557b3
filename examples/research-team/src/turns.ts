/** A stream that is spoken into, turn by turn. Nothing comes of what is said once its reader has left. */
export interface Turns<Turn> {
  readonly said: AsyncIterable<Turn>;
  say(turn: Turn): void;
  close(): void;
  fail(error: unknown): void;
}

/** Makes a stream for one reader. It holds what was said and not yet read, so it is for conversations that end. */
export function turns<Turn>(): Turns<Turn> {
  let speaker: ReadableStreamDefaultController<Turn> | undefined;
  const said = new ReadableStream<Turn>({
    start(controller) {
      speaker = controller;
    },
    cancel() {
      speaker = undefined;
    },
  });
  return {
    said,
    say: (turn) => speaker?.enqueue(turn),
    close: () => speaker?.close(),
    fail: (error) => speaker?.error(error),
  };
}

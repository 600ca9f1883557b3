import { ItemQueue, type ParleyError } from "@parley/core/transport";
import type { Operation } from "./operation.ts";

/** What an {@link Inbox} is made from. */
export interface InboxInit {
  /** Most that waits to be read, bytes. */
  readonly maxBytes: number;
  /** Told when there is more, and when half of it has been read. Without it the oldest is dropped. */
  readonly flow?: { pause(): void; resume(): void } | undefined;
  /** Told of each message that was dropped. */
  dropped?(): void;
}

/** Messages that have arrived, until they are read. Bounded: what sends them is held up, or the oldest is dropped. */
export class Inbox<Message> {
  readonly #init: InboxInit;
  readonly #messages: ItemQueue<Message>;
  readonly #readers = new Set<() => void>();
  #bytes = 0;
  #paused = false;
  #end: { readonly error: ParleyError | undefined } | undefined;

  constructor(init: InboxInit) {
    this.#init = init;
    this.#messages = new ItemQueue({ taken: (bytes) => this.#taken(bytes), abandoned() {} });
  }

  /** Messages that wait to be read. */
  get size(): number {
    return this.#messages.size;
  }

  push(message: Message, bytes: number): void {
    const { maxBytes, flow, dropped } = this.#init;
    this.#bytes += bytes;
    this.#messages.push(message, bytes);
    this.#wake();
    if (this.#bytes <= maxBytes) return;
    if (flow) {
      this.#paused = true;
      return flow.pause();
    }
    while (this.#bytes > maxBytes) {
      void this.#messages.next();
      dropped?.();
    }
  }

  /** The next message; after the last one nothing, or the error that it ended with. */
  async next(operation: Operation): Promise<IteratorResult<Message, undefined>> {
    while (this.#messages.size === 0 && !this.#end) {
      await operation.wait<void>("wrote no message", (resolve) => {
        this.#readers.add(resolve);
        return () => this.#readers.delete(resolve);
      });
    }
    if (this.#messages.size > 0) return this.#messages.next();
    if (this.#end?.error) throw this.#end.error;
    return { done: true, value: undefined };
  }

  /** No more will come: because of an error, or in order. */
  finish(error: ParleyError | undefined): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** All of them: the first may have given up, or be on its way to a message that came before. */
  #wake(): void {
    for (const reader of this.#readers) reader();
  }

  #taken(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.#paused || this.#bytes > this.#init.maxBytes / 2) return;
    this.#paused = false;
    this.#init.flow?.resume();
  }
}

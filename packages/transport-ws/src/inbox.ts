import {
  cancelled,
  type OperationOptions,
  type ParleyError,
  type Runtime,
  TransportError,
  withOutcome,
} from "@parley/core/transport";

/** What is counted for each message beside its bytes, so that many small ones are bounded too. */
export const MESSAGE_OVERHEAD_BYTES = 64;

/** What an {@link Inbox} is made from. */
export interface InboxInit {
  readonly maxBytes: number;
  readonly whenFull: "pause" | "drop-oldest";
  readonly runtime: Runtime;
  /** It is full: nothing more is to be read, until `resume`. */
  pause(): void;
  resume(): void;
}

interface Arrived<Message> {
  readonly message: Message;
  readonly bytes: number;
}

interface Reader<Message> {
  resolve(result: IteratorResult<Message, undefined>): void;
  reject(error: ParleyError): void;
}

/** Messages that have arrived and wait to be read, bounded. Each is read once, whoever asks for it. */
export class Inbox<Message> {
  readonly #init: InboxInit;
  readonly #arrived = new Set<Arrived<Message>>();
  readonly #readers = new Set<Reader<Message>>();
  #bytes = 0;
  #paused = false;
  #dropped = 0;
  #end: { readonly error: ParleyError | undefined } | undefined;

  constructor(init: InboxInit) {
    this.#init = init;
  }

  /** Messages given up for room. */
  get dropped(): number {
    return this.#dropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether reading has been stopped for want of room. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Takes a message; after the end it is dropped. */
  push(message: Message, dataBytes: number): void {
    if (this.#end) return;
    const [reader] = this.#readers;
    if (reader) return reader.resolve({ done: false, value: message });
    const { maxBytes, whenFull, pause } = this.#init;
    const bytes = dataBytes + MESSAGE_OVERHEAD_BYTES;
    while (whenFull === "drop-oldest" && this.#bytes > 0 && this.#bytes + bytes > maxBytes) {
      this.#shift();
      this.#dropped++;
    }
    this.#arrived.add({ message, bytes });
    this.#bytes += bytes;
    if (whenFull === "drop-oldest" || this.#bytes < maxBytes || this.#paused) return;
    this.#paused = true;
    pause();
  }

  /**
   * The next message, or the end.
   * @throws ParleyError why it ended, once, to one who asks; `deadline_exceeded`, `cancelled`
   */
  take({ signal, timeoutMs }: OperationOptions = {}): Promise<IteratorResult<Message, undefined>> {
    if (signal?.aborted) return Promise.reject(withOutcome(cancelled(signal.reason, "not-sent"), "not-sent"));
    const first = this.#shift();
    if (first) return Promise.resolve({ done: false, value: first.message });
    if (this.#end) {
      const { error } = this.#end;
      this.#end = { error: undefined };
      return error ? Promise.reject(error) : Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => {
      const { runtime } = this.#init;
      const leave = (): void => {
        this.#readers.delete(reader);
        cancelTimer?.();
        signal?.removeEventListener("abort", abort);
      };
      const reader: Reader<Message> = {
        resolve(result) {
          leave();
          resolve(result);
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      const abort = (): void => reader.reject(withOutcome(cancelled(signal?.reason, "not-sent"), "not-sent"));
      const late = (): void =>
        reader.reject(
          new TransportError("deadline_exceeded", `no message came within ${timeoutMs} ms`, { outcome: "not-sent" }),
        );
      const cancelTimer = timeoutMs === undefined ? undefined : runtime.setTimer(late, timeoutMs);
      signal?.addEventListener("abort", abort);
      this.#readers.add(reader);
    });
  }

  /** Gives all that waits to somebody else. */
  drain(take: (message: Message) => void): void {
    for (let first = this.#shift(); first; first = this.#shift()) take(first.message);
  }

  /** There is another socket to read from. */
  reopened(): void {
    if (this.#paused) this.#init.pause();
  }

  /** Whoever waits now waits in vain; messages may still come. */
  failReaders(error: ParleyError): void {
    for (const reader of [...this.#readers]) reader.reject(error);
  }

  /** No more will come; what has arrived is still read. An error is told once. */
  end(error: ParleyError | undefined): void {
    if (this.#end) return;
    const [first] = this.#readers;
    this.#end = { error: first ? undefined : error };
    if (error) first?.reject(error);
    for (const reader of [...this.#readers]) reader.resolve({ done: true, value: undefined });
  }

  #shift(): Arrived<Message> | undefined {
    const [first] = this.#arrived;
    if (!first) return undefined;
    this.#arrived.delete(first);
    this.#bytes -= first.bytes;
    if (this.#paused && this.#bytes <= this.#init.maxBytes / 2) {
      this.#paused = false;
      this.#init.resume();
    }
    return first;
  }
}

import {
  type DeadlineListener,
  type ItemSource,
  PacedItems,
  type ParleyError,
  type Runtime,
  TransportError,
  type WatchedDeadline,
} from "../../transport/index.ts";

/** What an {@link AnswerBody} is made from. */
export interface AnswerBodyInit {
  /** Who answers, for messages. */
  readonly address: string;
  readonly maxBytes: number;
  /** Longest silence of the peer, and longest time until somebody begins to read. */
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  readonly source: AnswerBodySource;
}

/** Where the bytes of an {@link AnswerBody} come from. */
export interface AnswerBodySource extends Pick<ItemSource, "pause" | "resume"> {
  /** Nobody wants the rest. */
  giveUp(): void;
}

/**
 * The bytes of an answer on their way to one reader, who holds up the peer when it stalls. What is too long, stops coming, or is never read
 * is given up.
 */
export class AnswerBody implements ItemSource, DeadlineListener {
  readonly #init: AnswerBodyInit;
  readonly #items: PacedItems<Uint8Array> = new PacedItems(this);
  #watched: WatchedDeadline | undefined;
  #bytes = 0;
  #reading = false;
  #over = false;

  constructor(init: AnswerBodyInit) {
    this.#init = init;
    this.#watch();
  }

  /** The bytes as they come; to be called once. */
  read(): AsyncIterableIterator<Uint8Array, undefined, undefined> {
    this.#reading = true;
    if (this.#items.paused) this.#unwatch();
    return this.#items.queue;
  }

  /** Refuses a body that says it is too long. */
  announced(bytes: number): void {
    if (bytes > this.#init.maxBytes) this.#tooLong(bytes);
  }

  /** More of it has come. */
  push(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#init.maxBytes) return this.#tooLong(this.#bytes);
    this.#items.push(chunk, chunk.length);
    if (!this.#over && !(this.#reading && this.#items.paused)) this.#watch();
  }

  /** All of it has come. */
  end(): void {
    this.#finish();
    this.#items.queue.end();
  }

  /** It was cut: what has come is read before the error. */
  fail(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    this.#items.queue.fail(error);
  }

  /** Nobody may read on: what waits is dropped. */
  abort(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    this.#items.queue.abort(error);
  }

  /** Nobody wants it. */
  discard(): void {
    this.#items.queue.return();
  }

  pause(): void {
    this.#init.source.pause();
    if (this.#reading) this.#unwatch();
  }

  resume(): void {
    this.#init.source.resume();
    this.#watch();
  }

  abandoned(): void {
    if (this.#over) return;
    this.#finish();
    this.#init.source.giveUp();
  }

  onDeadline(): void {
    const { address, timeoutMs } = this.#init;
    const message = this.#reading
      ? `${address} has sent nothing for ${timeoutMs} ms in the middle of its answer`
      : `nobody began to read the answer of ${address} within ${timeoutMs} ms; read it, or call discard()`;
    this.#giveUp(new TransportError("deadline_exceeded", message, { outcome: "unknown" }));
  }

  #tooLong(bytes: number): void {
    const { address, maxBytes } = this.#init;
    const message = `${address} answered with ${bytes} bytes or more, over maxResponseBytes of ${maxBytes}`;
    this.#giveUp(new TransportError("resource_exhausted", message, { outcome: "unknown" }));
  }

  #giveUp(error: ParleyError): void {
    this.fail(error);
    this.#init.source.giveUp();
  }

  #watch(): void {
    const { runtime, timeoutMs } = this.#init;
    this.#unwatch();
    this.#watched = runtime.deadlines.add(runtime.now() + timeoutMs, this);
  }

  #unwatch(): void {
    if (this.#watched) this.#init.runtime.deadlines.remove(this.#watched);
    this.#watched = undefined;
  }

  #finish(): void {
    this.#over = true;
    this.#unwatch();
  }
}

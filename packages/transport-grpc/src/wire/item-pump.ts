import type { Envelope, Runtime } from "@parley/core/transport";

/** Where items go. */
export interface ItemSink {
  /** Takes an item, and tells when it has been handed to the socket, or never will be. */
  write(bytes: Buffer, done: () => void): unknown;
}

/** Items of a source that never waits, after which other work gets its turn. */
const ITEMS_A_TURN = 256;

/** What may wait for the socket; gRPC itself would let 16 messages wait, of whatever size. */
const HIGH_WATER_ITEMS = 64;
const HIGH_WATER_BYTES = 64 * 1024;

/** CloudEvents' integers are 31 bits: positions count modulo 2^31. */
const SEQ_MODULUS = 2 ** 31;

/** Reads items as fast as the sink takes them. */
export class ItemPump {
  readonly #iterator: AsyncIterator<Envelope>;
  readonly #sink: ItemSink;
  readonly #encode: (item: Envelope, seq: number) => Buffer;
  readonly #runtime: Runtime;
  #waitingItems = 0;
  #waitingBytes = 0;
  #stopped = false;
  #seq = 0;
  #wake: (() => void) | undefined;

  /** @param encode throws a ParleyError for what cannot be sent */
  constructor(
    items: AsyncIterable<Envelope>,
    {
      sink,
      encode,
      runtime,
    }: { readonly sink: ItemSink; readonly encode: (item: Envelope, seq: number) => Buffer; readonly runtime: Runtime },
  ) {
    this.#iterator = items[Symbol.asyncIterator]();
    this.#sink = sink;
    this.#encode = encode;
    this.#runtime = runtime;
  }

  /** Resolves with true when all items are written, with false after {@link stop}. Rejects with what the items threw, or what cannot be sent. */
  async run(): Promise<boolean> {
    for (let written = 1; !this.#stopped; written++) {
      if (this.#isFull) await this.#room();
      else {
        const result = await this.#iterator.next();
        if (this.#stopped) break;
        if (result.done) return true;
        this.#seq = (this.#seq + 1) % SEQ_MODULUS;
        this.#write(this.#encode(result.value, this.#seq));
        if (written % ITEMS_A_TURN === 0) await new Promise<void>((resolve) => this.#runtime.nextTurn(resolve));
      }
    }
    return false;
  }

  /** Nobody wants more: the items are told to return. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#wake?.();
    try {
      // A generator that waits gets to it when it goes on; what it makes of it is nobody's any more.
      Promise.resolve(this.#iterator.return?.()).catch(() => {});
    } catch {
      // As above.
    }
  }

  get #isFull(): boolean {
    return this.#waitingItems >= HIGH_WATER_ITEMS || this.#waitingBytes >= HIGH_WATER_BYTES;
  }

  #write(bytes: Buffer): void {
    const { length } = bytes;
    this.#waitingItems++;
    this.#waitingBytes += length;
    this.#sink.write(bytes, () => {
      this.#waitingItems--;
      this.#waitingBytes -= length;
      if (this.#wake && !this.#isFull) this.#wake();
    });
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

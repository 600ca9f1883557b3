import type { ParleyError } from "../../call/error.ts";
import { leave } from "../../call/leave.ts";
import { encodeData } from "../../envelope/data.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { end } from "../../envelope/follow.ts";
import type { Credit } from "./credit.ts";
import type { Frame, FrameCodec } from "./frame-codec.ts";
import { canBatch, MAX_BATCH_CHARS, MAX_BATCH_ITEMS } from "./item-batch.ts";
import type { Outlet } from "./link.ts";
import { nextSeq } from "./seq.ts";

/** Of a UTF-16 code unit in UTF-8. */
const MAX_BYTES_PER_CHAR = 3;
/** Attributes have at most 8 KiB of text. */
const MAX_HEADER_BYTES = 9 * 1024;

/** What an outflow is part of. */
export interface OutflowInit {
  readonly outbox: Outlet;
  readonly codec: FrameCodec;
  /** Number of the call on the connection. */
  readonly call: number;
  readonly opener: Envelope;
  /** `c` for items of the caller, `s` for those of the answerer. */
  readonly side: "c" | "s";
  /** Source of the events this side writes itself. */
  readonly source: string;
  readonly credit: Credit;
  /** Items that one event may hold; 1 means no batches. */
  readonly batchItems: number;
  /** Refuses a frame that the peer would not take. @throws ParleyError `resource_exhausted` */
  readonly checkSize: (frame: Frame) => void;
  /** The error to end with when an item cannot be sent. */
  readonly unsendable: (thrown: unknown) => ParleyError;
}

/**
 * The sending end of one direction of a stream: reads an async iterable as far as the peer's credit and the connection allow, and writes
 * its items. Items that become ready in one turn travel together where the peer takes that.
 */
export class Outflow {
  readonly #init: OutflowInit;
  readonly #iterator: AsyncIterator<Envelope>;
  readonly #idPrefix: string;
  #credit: Credit;
  #sentItems = 0;
  #sentBytes = 0;
  #seq = 0;
  #stopped = false;
  #wake: (() => void) | undefined;
  readonly #wakeWhenWritable = (): void => this.#wake?.();
  /** Encoded data of items that wait to leave as one event. */
  #batch: string[] = [];
  #batchChars = 0;
  #batchFirst: Envelope | undefined;
  #batchSeq = 0;

  constructor(items: AsyncIterable<Envelope>, init: OutflowInit) {
    this.#init = init;
    this.#iterator = items[Symbol.asyncIterator]();
    this.#idPrefix = `${init.opener.id}.${init.side}`;
    this.#credit = init.credit;
  }

  /** Resolves when all items and the end have been written, or after {@link stop}; rejects with what the iterable threw. */
  async run(): Promise<void> {
    while (!this.#stopped) {
      this.#sealNearCredit();
      if (!this.#mayTake()) await this.#room();
      else {
        const result = await this.#iterator.next();
        if (this.#stopped) return;
        if (result.done) return this.#finish();
        try {
          this.#send(result.value);
        } catch (thrown) {
          throw this.#init.unsendable(thrown);
        }
      }
    }
  }

  /** Position that the next item, or the end, will have. */
  get nextSeq(): number {
    return nextSeq(this.#seq);
  }

  /** The peer allows more. Smaller or repeated grants change nothing. */
  grant(credit: Credit): void {
    if (credit.items <= this.#credit.items && credit.bytes <= this.#credit.bytes) return;
    this.#credit = {
      items: Math.max(credit.items, this.#credit.items),
      bytes: Math.max(credit.bytes, this.#credit.bytes),
    };
    this.#wake?.();
  }

  /** Nobody wants more: the iterable is told to return, and what waits to leave is dropped. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#batch = [];
    this.#batchFirst = undefined;
    this.#wake?.();
    leave(this.#iterator);
  }

  /** Writes the items that wait as one event. */
  seal(): void {
    const first = this.#batchFirst;
    if (!first) return;
    // Others are sealed before: this one is about to be.
    this.#batchFirst = undefined;
    const count = this.#batch.length;
    const { call, codec, outbox } = this.#init;
    const seq = this.#batchSeq;
    const frame =
      count === 1
        ? outbox.encodeText(first, { call, seq }, this.#batch[0] as string)
        : outbox.encodeText(first, { call, seq, count }, `[${this.#batch.join(",")}]`);
    this.#batch = [];
    this.#batchChars = 0;
    this.#sentBytes += codec.bytesOf(frame);
    outbox.push(frame);
  }

  /** What waits counts once it is an event; it leaves before it could use up the credit under the item that comes next. */
  #sealNearCredit(): void {
    if (this.#sentBytes + this.#batchChars * MAX_BYTES_PER_CHAR + MAX_HEADER_BYTES >= this.#credit.bytes) this.seal();
  }

  #mayTake(): boolean {
    return this.#sentItems < this.#credit.items && this.#sentBytes < this.#credit.bytes && !this.#init.outbox.blocked;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      if (this.#init.outbox.blocked) this.#init.outbox.whenWritable(this.#wakeWhenWritable);
    });
  }

  #send(item: Envelope): void {
    const { call, batchItems, opener, outbox, codec } = this.#init;
    this.#sentItems++;
    this.#seq = nextSeq(this.#seq);
    if (batchItems > 1 && canBatch(item, this.#idPrefix + this.#seq, opener.type)) {
      const text = encodeData(item.data);
      if (text.length < MAX_BATCH_CHARS) return this.#collect(item, text);
    }
    this.seal();
    const frame = outbox.encode(item, { call, seq: this.#seq });
    this.#init.checkSize(frame);
    this.#sentBytes += codec.bytesOf(frame);
    outbox.push(frame);
  }

  #collect(item: Envelope, text: string): void {
    const { outbox, batchItems } = this.#init;
    const first = this.#batchFirst;
    if (first && (this.#batchChars + text.length > MAX_BATCH_CHARS || first.source !== item.source)) this.seal();
    if (!this.#batchFirst) {
      this.#batchFirst = item;
      this.#batchSeq = this.#seq;
      outbox.sealBeforeFlush(this);
    }
    this.#batchChars += text.length;
    if (this.#batch.push(text) >= Math.min(batchItems, MAX_BATCH_ITEMS)) this.seal();
  }

  #finish(): void {
    const { outbox, opener, source, call } = this.#init;
    this.#stopped = true;
    this.seal();
    outbox.push(outbox.encode(end(opener, source), { call, seq: this.nextSeq }));
  }
}

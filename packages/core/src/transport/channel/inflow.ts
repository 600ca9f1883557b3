import { ParleyError, TransportError } from "../../call/error.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { ItemQueue, type ItemQueueOwner } from "../item-queue.ts";
import type { Credit } from "./credit.ts";
import { itemsOf } from "./item-batch.ts";
import { nextSeq } from "./seq.ts";
import type { Window } from "./window.ts";

/** What an inflow asks of the call it belongs to. */
export interface InflowOwner {
  /** Tells the sender how far it may go. */
  grant(credit: Credit): void;
  /** The reader has left before the end. */
  abandoned(): void;
}

/**
 * The receiving end of one direction of a stream. It grants credit as the reader takes items, as far as its window goes, so that a reader who
 * stalls stops the sender and nobody else.
 */
export class Inflow implements ItemQueueOwner {
  /** What has arrived. */
  readonly items: ItemQueue<Envelope> = new ItemQueue(this);
  readonly #owner: InflowOwner;
  readonly #window: Window;
  #seq = 0;
  #receivedItems = 0;
  #receivedBytes = 0;

  constructor(owner: InflowOwner, window: Window) {
    this.#owner = owner;
    this.#window = window;
  }

  /** Takes an item event of so many bytes. Returns what is wrong with it, if anything: the caller then ends the call. */
  push(message: Envelope, bytes: number): ParleyError | undefined {
    const { count = 1 } = message;
    if (message.seq !== nextSeq(this.#seq)) return lost(nextSeq(this.#seq), message.seq);
    const { granted } = this.#window;
    if (this.#receivedItems + count > granted.items || this.#receivedBytes >= granted.bytes) {
      return new TransportError(
        "resource_exhausted",
        `the peer sent item ${message.seq} beyond its credit of ${granted.items} items and ${granted.bytes} bytes`,
      );
    }
    const items = message.count === undefined ? [message] : itemsOf(message);
    if (!items) {
      return new ParleyError(
        "invalid_argument",
        `item event ${message.seq} does not hold the ${count} items that it announces`,
      );
    }
    this.#seq = nextSeq(this.#seq, count);
    this.#receivedItems += count;
    this.#receivedBytes += bytes;
    this.#window.received(count, bytes);
    // Of several items in one event, the last pays for it.
    for (const [index, item] of items.entries()) this.items.push(item, index === count - 1 ? bytes : 0);
    return undefined;
  }

  /** The sender is done. `seq` is one past its last item. Returns what is wrong, if items are missing. */
  end(seq: number | undefined): ParleyError | undefined {
    if (seq !== undefined && seq !== nextSeq(this.#seq)) return lost(nextSeq(this.#seq), seq);
    this.items.end();
    return undefined;
  }

  taken(bytes: number): void {
    const credit = this.#window.taken(bytes);
    if (credit) this.#owner.grant(credit);
  }

  abandoned(): void {
    this.#owner.abandoned();
  }
}

function lost(expected: number, seq: number | undefined): ParleyError {
  return new ParleyError("data_loss", `items are missing from the stream: expected number ${expected}, got ${seq}`, {
    outcome: "unknown",
  });
}

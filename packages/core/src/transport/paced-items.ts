import type { Envelope } from "../envelope/envelope.ts";
import { ItemQueue, type ItemQueueOwner } from "./item-queue.ts";

/** Where items come from: it is told when to stop reading. */
export interface ItemSource {
  /** Enough is queued: read no more. */
  pause(): void;
  /** There is room again. */
  resume(): void;
  /** The reader has left before the end. */
  abandoned(): void;
}

/** Bounds at which the source is paused; what one read of it brings may go over them. */
const HIGH_WATER_ITEMS = 1_024;
const HIGH_WATER_BYTES = 256 * 1024;

/** Items on their way from a socket, or a stream of the protocol below, to one reader. A reader who stalls stops it. */
export class PacedItems<Item = Envelope> implements ItemQueueOwner {
  /** What has arrived. */
  readonly queue: ItemQueue<Item> = new ItemQueue(this);
  readonly #source: ItemSource;
  #bytes = 0;
  #paused = false;

  constructor(source: ItemSource) {
    this.#source = source;
  }

  /** Whether the source is paused because the reader is behind. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Takes an item of so many bytes. */
  push(item: Item, bytes: number): void {
    this.#bytes += bytes;
    this.queue.push(item, bytes);
    if (this.#paused || (this.#bytes < HIGH_WATER_BYTES && this.queue.size < HIGH_WATER_ITEMS)) return;
    this.#paused = true;
    this.#source.pause();
  }

  taken(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.#paused || this.#bytes * 2 > HIGH_WATER_BYTES || this.queue.size * 2 > HIGH_WATER_ITEMS) return;
    this.#paused = false;
    this.#source.resume();
  }

  abandoned(): void {
    this.#source.abandoned();
  }
}

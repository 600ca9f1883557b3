import { canBatch, MAX_BATCH_CHARS, MAX_BATCH_ITEMS } from "../../transport/channel/item-batch.ts";
import { type Envelope, encodeData, encodeHeader, type Opener } from "../../transport/index.ts";
import { webLimits } from "../call-options.ts";
import type { LineBatch } from "../wire/line-writer.ts";
import type { Exchange } from "./exchange.ts";
import { sendable } from "./format.ts";
import type { OutputInit } from "./output.ts";

/** No item is shorter on average: what a socket's buffers hold of items for a reader who stalls is then within the window that is declared. */
const MIN_ITEM_CHARS = webLimits.windowBytes / webLimits.windowItems;

/**
 * Where the items of an answer wait for company, if the caller takes several in one event: it says so by the preference `batch-items` (RFC 7240).
 * @param taken told of each line, and how many items it holds; gives back the line to write.
 */
export function itemBatch(
  { request }: Exchange,
  { format: { line }, opener }: OutputInit,
  taken: (line: string, items: number) => string = (text) => text,
): LineBatch | undefined {
  const [, most = "1"] = PREFERENCE.exec((request.headers["prefer"] as string) ?? "") ?? [];
  const maxItems = Math.min(Number(most), MAX_BATCH_ITEMS);
  if (!line || maxItems < 2) return undefined;
  return new ItemBatch({ opener, maxItems, lineOf: (event, items) => taken(line(event), items) });
}

const PREFERENCE = /(?:^|,)\s*batch-items=(\d{1,3})\s*(?:[,;]|$)/i;

interface ItemBatchInit {
  /** What the items follow. */
  readonly opener: Opener;
  /** Items that one event may hold. */
  readonly maxItems: number;
  /** An event of so many items as a line, without the newline. */
  readonly lineOf: (event: string, items: number) => string;
}

/** Items of an answer that wait to leave as one event (attribute `count`). */
class ItemBatch implements LineBatch {
  readonly #init: ItemBatchInit;
  readonly #idPrefix: string;
  #head = "";
  #source = "";
  #data: string[] = [];
  #chars = 0;

  constructor(init: ItemBatchInit) {
    this.#init = init;
    this.#idPrefix = `${init.opener.id}.s`;
  }

  /** Length of the data that waits. */
  get chars(): number {
    return this.#chars;
  }

  /** Data of an item that may have company, as text; undefined of one that travels alone. @throws ParleyError when it cannot be sent */
  dataOf(item: Envelope, seq: number): string | undefined {
    const { opener } = this.#init;
    if (!canBatch(item, this.#idPrefix + seq, opener.type)) return undefined;
    return sendable(opener, () => encodeData(item.data));
  }

  /** Whether an item with this data can join those that wait. */
  hasRoom({ source }: Envelope, data: string): boolean {
    const items = this.#data.length + 1;
    if (items === 1) return true;
    const chars = this.#chars + data.length;
    if (items > this.#init.maxItems || chars > MAX_BATCH_CHARS || source !== this.#source) return false;
    return this.#head.length + chars >= items * MIN_ITEM_CHARS;
  }

  /** @throws ParleyError when the item cannot be sent */
  add(item: Envelope, seq: number, data: string): void {
    if (this.#data.length === 0) {
      this.#head = sendable(this.#init.opener, () => encodeHeader(item, { seq }));
      this.#source = item.source;
    }
    this.#data.push(data);
    this.#chars += data.length;
  }

  /** Those that wait, as a line; undefined when there are none. */
  seal(): string | undefined {
    const items = this.#data.length;
    if (items === 0) return undefined;
    const rest = items === 1 ? `,"data":${this.#data[0]}}` : `,"count":${items},"data":[${this.#data.join(",")}]}`;
    this.clear();
    return this.#init.lineOf(this.#head + rest, items);
  }

  /** Drops those that wait. */
  clear(): void {
    this.#data = [];
    this.#chars = 0;
  }
}

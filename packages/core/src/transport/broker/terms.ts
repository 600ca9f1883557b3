import type { Credit } from "../channel/credit.ts";
import { MAX_BATCH_ITEMS } from "../channel/item-batch.ts";
import { type Hop, MIN_BATCH_MESSAGE_BYTES, silentHop } from "../hello.ts";

/** Events that a message to an inbox may hold, from whom that was offered. */
export const MAX_BATCH_EVENTS: number = 32;

/** What a caller takes. */
export interface Terms extends Hop {
  /** Events that a message may hold; 1 means no batches. */
  readonly batchEvents: number;
}

/** What those are taken to bear who do not say. */
const silentTerms: Terms = { ...silentHop, batchEvents: 1 };

/**
 * What the opener of a call says of the side that sends it: attribute `credit`, "items:bytes:batchItems:maxMessageBytes", and where it takes
 * several events in a message ":batchEvents". The replica that answers need not be the one that answered the handshake.
 */
export function writeTerms({ items, bytes }: Credit, { batchItems, limits }: Hop, batchEvents: number): string {
  const batches = batchEvents > 1 ? `:${batchEvents}` : "";
  return `${items}:${bytes}:${batchItems}:${limits.maxMessageBytes}${batches}`;
}

const TERMS = /^(\d{1,15}):(\d{1,15})(?::([1-9]\d{0,5}):([1-9]\d{0,14})(?::([1-9]\d{0,5}))?)?$/;

/** What a caller takes: as {@link writeTerms} wrote it, and little where it said nothing. The limits' windows are the credit to start with. */
export function readTerms(credit: unknown): Terms {
  const match = typeof credit === "string" ? TERMS.exec(credit) : null;
  if (!match) return silentTerms;
  const [, items, bytes, batchItems = 1, maxMessageBytes = silentHop.limits.maxMessageBytes, batchEvents = 1] = match;
  return {
    ...silentHop,
    batchEvents:
      Number(maxMessageBytes) < MIN_BATCH_MESSAGE_BYTES ? 1 : Math.min(Number(batchEvents), MAX_BATCH_EVENTS),
    batchItems: Math.min(Number(batchItems), MAX_BATCH_ITEMS),
    limits: {
      ...silentHop.limits,
      windowItems: Number(items),
      windowBytes: Number(bytes),
      maxMessageBytes: Number(maxMessageBytes),
    },
  };
}

import type { Credit } from "../channel/credit.ts";
import { MAX_BATCH_ITEMS } from "../channel/item-batch.ts";
import { type Hop, silentHop } from "../hello.ts";

/**
 * What the opener of a call says of the side that sends it: attribute `credit`, "items:bytes:batchItems:maxMessageBytes". The replica that
 * answers need not be the one that answered the handshake.
 */
export function writeTerms({ items, bytes }: Credit, { batchItems, limits }: Hop): string {
  return `${items}:${bytes}:${batchItems}:${limits.maxMessageBytes}`;
}

const TERMS = /^(\d{1,15}):(\d{1,15})(?::([1-9]\d{0,5}):([1-9]\d{0,14}))?$/;

/** What a caller takes: as {@link writeTerms} wrote it, and little where it said nothing. The limits' windows are the credit to start with. */
export function readTerms(credit: unknown): Hop {
  const match = typeof credit === "string" ? TERMS.exec(credit) : null;
  if (!match) return silentHop;
  const [, items, bytes, batchItems = 1, maxMessageBytes = silentHop.limits.maxMessageBytes] = match;
  return {
    ...silentHop,
    batchItems: Math.min(Number(batchItems), MAX_BATCH_ITEMS),
    limits: {
      ...silentHop.limits,
      windowItems: Number(items),
      windowBytes: Number(bytes),
      maxMessageBytes: Number(maxMessageBytes),
    },
  };
}

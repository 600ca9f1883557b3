import type { Envelope } from "../../envelope/envelope.ts";
import { nextSeq } from "./seq.ts";

/** Bounds of several items in one event. */
export const MAX_BATCH_ITEMS: number = 32;
export const MAX_BATCH_CHARS: number = 16 * 1024;

/**
 * Whether the item says nothing that its place in the stream does not say: then several can travel as one event (attribute `count`) and
 * come out the same. Bytes and other media types travel alone.
 */
export function canBatch(item: Envelope, id: string, type: string): boolean {
  for (const name in item) {
    switch (name) {
      case "specversion":
      case "parley":
      case "kind":
      case "source":
      // Of the hop that brought it here.
      case "call":
      case "seq":
      case "sn":
      case "ack":
        break;
      case "id":
        if (item.id !== id) return false;
        break;
      case "type":
        if (item.type !== type) return false;
        break;
      case "data":
        if (item.data === undefined || item.data instanceof Uint8Array) return false;
        break;
      default:
        return false;
    }
  }
  return "data" in item;
}

/**
 * The items of an event that holds several, each as the event it would have been alone; undefined when `data` does not hold as many as
 * `count` says.
 */
export function itemsOf(batch: Envelope): readonly Envelope[] | undefined {
  // An event with a count is one of Parley's: the codec has seen to it that these are there.
  const { specversion, parley, id, source, type, kind, call, seq, count, data } = batch as Required<Envelope>;
  if (!Array.isArray(data) || data.length !== count) return undefined;
  const prefix = id.slice(0, id.length - String(seq).length);
  return data.map((item: unknown, index): Envelope => {
    const position = nextSeq(seq, index);
    return { specversion, parley, id: prefix + position, source, type, kind, call, seq: position, data: item };
  });
}

import { check } from "../../contender.ts";
import { type Payload, payload, type StreamRequest, serialOf } from "../../payload.ts";

/** What is asked for, an item at a time. */
export function* itemsOf({ content, items }: StreamRequest): Generator<Payload, void, undefined> {
  for (let serial = 1; serial <= items; serial++) yield payload(content, serial);
}

/** Counts the items of a stream as they come. */
export interface ItemCheck {
  /** @throws Error when it is not the one that follows */
  item(data: unknown): void;
  /** @throws Error when there have been too few */
  end(): void;
}

export function checkItems({ items }: StreamRequest): ItemCheck {
  let seq = 0;
  return {
    item: (data) => check("the item's serial", serialOf(data), ++seq),
    end: () => check("the number of items", seq, items),
  };
}

/** Reads a stream to its end. @throws Error when it is not what was asked for */
export async function readItems(stream: AsyncIterable<unknown>, asked: StreamRequest): Promise<void> {
  const checked = checkItems(asked);
  for await (const data of stream) checked.item(data);
  checked.end();
}

import { malformed, ProtoReader } from "./proto-reader.ts";
import { varintLength } from "./proto-writer.ts";

/** Tag of `events` in io.cloudevents.v1.CloudEventBatch. */
const EVENTS = 0x0a;

/** Events as one io.cloudevents.v1.CloudEventBatch. */
export function encodeBatch(events: readonly Uint8Array[], from = 0, to: number = events.length): Buffer {
  let length = 0;
  for (let n = from; n < to; n++) {
    const bytes = (events[n] as Uint8Array).length;
    length += 1 + varintLength(bytes) + bytes;
  }
  const batch = Buffer.allocUnsafe(length);
  let at = 0;
  for (let n = from; n < to; n++) {
    const event = events[n] as Uint8Array;
    batch[at++] = EVENTS;
    let rest = event.length;
    while (rest > 0x7f) {
      batch[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    batch[at++] = rest;
    batch.set(event, at);
    at += event.length;
  }
  return batch;
}

/** Hands each event of a batch to `take`, in order; the bytes are those of the batch. @throws ValidationError when it is none */
export function readBatch(batch: Buffer, take: (event: Buffer) => void): void {
  const reader = new ProtoReader(batch);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === EVENTS) take(reader.bytes());
    else if ((tag & 7) === 2) reader.skip(tag);
    else throw malformed("is no batch of events");
  }
}

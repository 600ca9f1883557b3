import { decodeData, ParleyError } from "../../transport/index.ts";
import { readText } from "../wire/text.ts";

/** Levels of data, and two around it: the batch and the event. */
const MAX_DEPTH = 64 + 2;

/** Events in one batch. */
export const MAX_BATCH_EVENTS = 256;

/** The events of a batch in CloudEvents' JSON batch format. @throws ParleyError `invalid_argument`, `resource_exhausted` */
export function readEventArray(body: Buffer): readonly unknown[] {
  const events = decodeData(readText(body), { maxDepth: MAX_DEPTH });
  if (Array.isArray(events)) return checkEventCount(events);
  throw new ParleyError("invalid_argument", "a batch is a JSON array of events", { outcome: "not-sent" });
}

/** @throws ParleyError `resource_exhausted` */
export function checkEventCount<Event>(events: readonly Event[]): readonly Event[] {
  if (events.length <= MAX_BATCH_EVENTS) return events;
  const message = `a batch of ${events.length} events is over the limit of ${MAX_BATCH_EVENTS}`;
  throw new ParleyError("resource_exhausted", message, { outcome: "not-sent" });
}

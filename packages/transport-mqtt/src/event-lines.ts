import { MAX_BATCH_EVENTS, ParleyError } from "@parley/core/transport";

const LINE_FEED = 0x0a;

/** Takes a message apart that holds several events, one a line. @returns what is wrong with it as a whole; nothing of it was handed over then */
export function eachEvent(payload: Buffer, take: (event: Buffer) => void): ParleyError | undefined {
  const events: Buffer[] = [];
  let start = 0;
  do {
    if (events.length === MAX_BATCH_EVENTS)
      return new ParleyError(
        "invalid_argument",
        `a message was refused: it holds more than ${MAX_BATCH_EVENTS} events`,
      );
    const feed = payload.indexOf(LINE_FEED, start);
    const end = feed === -1 ? payload.length : feed;
    events.push(payload.subarray(start, end));
    start = end + 1;
  } while (start < payload.length);
  for (const event of events) take(event);
  return undefined;
}

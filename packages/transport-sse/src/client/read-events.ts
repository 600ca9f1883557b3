import { eventParser } from "../event-parser.ts";

/** An event of a stream. */
export interface SseEvent {
  /** Its name; `message` where the server gives none. */
  readonly event: string;
  readonly data: string;
  /** The last id that the stream has given, with this event or before; empty when there was none. */
  readonly id: string;
  /** The time that the server asked for since the event before, ms, before a reader comes back. */
  readonly retryMs?: number;
}

/** Where in a stream its reader is. */
export interface Cursor {
  id: string;
  retryMs: number | undefined;
}

/** Reads the events of one answer, moving the cursor. An event without a blank line at its end is none. @throws ParleyError */
export async function* readEvents(
  bytes: AsyncIterable<Uint8Array>,
  cursor: Cursor,
  maxEventChars: number,
): AsyncGenerator<SseEvent, void, undefined> {
  const events: SseEvent[] = [];
  let retryMs: number | undefined;
  const parser = eventParser({
    maxEventChars,
    lenient: true,
    onId(id) {
      cursor.id = id;
    },
    onRetry(ms) {
      cursor.retryMs = ms;
      retryMs = ms;
    },
    onEvent({ event = "message", data }) {
      events.push({ event, data, id: cursor.id, ...(retryMs === undefined ? {} : { retryMs }) });
      retryMs = undefined;
    },
  });
  for await (const chunk of bytes) {
    try {
      parser.read(chunk);
    } finally {
      // Also those before what is too long.
      yield* events.splice(0);
    }
  }
}

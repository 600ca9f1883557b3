/** WebSocket subprotocol of the CloudEvents binding: a text frame is one event in JSON. */
export const SUBPROTOCOL = "cloudevents.json";

/**
 * The one that Parleys choose among themselves: a text frame is one event or several, each a line, since a frame costs both sides more than what is
 * in it (requests, 64 at a time, and deliveries to four subscribers: 1.2 times as many a second).
 */
export const LINES_SUBPROTOCOL = "parley.lines";

/** What this side offers: a server that looks at none of them chooses the first. */
export const subprotocols: readonly string[] = [SUBPROTOCOL, LINES_SUBPROTOCOL];

/** The one to speak of those that the peer offers; undefined where it is none of these. */
export function chosen(offered: ReadonlySet<string>): string | undefined {
  return offered.has(LINES_SUBPROTOCOL) ? LINES_SUBPROTOCOL : offered.has(SUBPROTOCOL) ? SUBPROTOCOL : undefined;
}

/** Longest frame of several events. The receiver may take longer ones of one event. */
const MAX_LINES_BYTES = 64 * 1024;

/** Characters that never take more: three bytes each in UTF-8. */
const MAX_LINES_CHARS = Math.floor(MAX_LINES_BYTES / 3);

/** Longest frame that is taken, whether it is one event or several. */
export function maxFrameBytes(maxMessageBytes: number): number {
  return Math.max(maxMessageBytes, MAX_LINES_BYTES);
}

/** The text frames for some events. JSON has no line breaks of its own; one that is long stays by itself. */
export function toFrames(events: readonly string[], subprotocol: string): readonly string[] {
  return subprotocol === LINES_SUBPROTOCOL ? joinLines(events) : events;
}

/** The events in a text frame. */
export function eventsOf(frame: string, subprotocol: string): readonly string[] {
  return subprotocol === LINES_SUBPROTOCOL ? frame.split("\n") : [frame];
}

function joinLines(events: readonly string[]): readonly string[] {
  const frames: string[] = [];
  let start = 0;
  let chars = 0;
  for (const [place, { length }] of events.entries()) {
    if (place > start && chars + length >= MAX_LINES_CHARS) {
      frames.push(events.slice(start, place).join("\n"));
      start = place;
      chars = 0;
    }
    chars += length + 1;
  }
  frames.push(events.slice(start).join("\n"));
  return frames;
}

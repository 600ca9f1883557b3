import { eventFormat, type Format, plainFormat } from "@parley/core/http";
import { encode, end, errorEvent } from "@parley/core/transport";
import { EVENT_STREAM } from "../event-stream.ts";

/**
 * Streams as event streams: the data of each is an event of Parley in JSON, which has no line breaks. Items have no name of their own, so that
 * they reach a page's `onmessage`; ends are `end` and errors `fault`, since `error` would be taken for one of the connection.
 */
export const streamFormat: Format = {
  ...eventFormat,
  streamType: EVENT_STREAM,
  heartbeat: ":\n\n",
  item: (item, seq) => `data: ${encode(item, { seq })}\n`,
  line: (event) => `data: ${event}\n`,
  event: (message) => `data: ${encode(message)}\n`,
  end: (opener, source, seq) => `event: end\ndata: ${encode(end(opener, source), { seq })}\n`,
  failure: (error, opener, source, seq) =>
    `event: fault\ndata: ${encode(errorEvent(opener, source, error), { seq })}\n`,
};

/** The same for callers who sent no event: until the stream begins, an error is a problem. */
export const plainStreamFormat: Format = { ...streamFormat, error: plainFormat.error };

/** For callers who read nothing but event streams: single answers are streams of one event. */
export const oneEventFormat: Format = {
  ...streamFormat,
  reply: (message) => ({
    status: 200,
    headers: ["Content-Type", EVENT_STREAM, "Cache-Control", "no-store"],
    body: `${streamFormat.event(message)}\n`,
  }),
};

import { createParser } from "eventsource-parser";
import type { Contender } from "../contender.ts";
import { rawWith } from "./raw-http.ts";

/** Server-Sent Events with `node:http`, undici and `eventsource-parser`: as raw HTTP, and streams as an event stream. */
export const rawSse: Contender = rawWith({
  type: "text/event-stream",
  write: (text) => `data: ${text}\n\n`,
  reader(take) {
    const parser = createParser({ onEvent: ({ data }) => take(data) });
    return (chunk) => parser.feed(chunk);
  },
});

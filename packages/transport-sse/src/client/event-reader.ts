import type { EventReader } from "@parley/core/http/client";
import { eventParser } from "../event-parser.ts";

/** Beside its data, an event has an id and a name, and a line its field name. */
const OVERHEAD_CHARS = 1_024;

/** Reads an event stream, within the bounds of one message. Events without data only say where in the stream it is. */
export function eventReader(maxBytes: number, take: (text: string) => void): EventReader {
  let position: string | undefined;
  const parser = eventParser({
    maxEventChars: maxBytes + OVERHEAD_CHARS,
    onEvent: ({ data }) => take(data),
    onId(id) {
      position = id;
    },
  });
  return {
    get position() {
      return position;
    },
    read: (chunk) => parser.read(chunk),
  };
}

import { TransportError, ValidationError } from "@parley/core/transport";
import { createParser, type EventSourceMessage } from "eventsource-parser";

/** What an event stream says. */
export interface EventParserInit {
  /** Longest event that is read, in characters; a line that goes on beyond it is not waited for. */
  readonly maxEventChars: number;
  /** Whether bytes that are not UTF-8 become U+FFFD, as the HTML standard has it, instead of being refused. @default false */
  readonly lenient?: boolean;
  readonly onEvent: (event: EventSourceMessage) => void;
  /** Told before the event that has the id, and of one without an event. */
  readonly onId: (id: string) => void;
  /** The server asks to be left alone for so long, ms, before a reader comes back. */
  readonly onRetry?: (retryMs: number) => void;
}

/** Cuts the bytes of an event stream into events (HTML Living Standard, 9.2). */
export interface EventParser {
  /** @throws ParleyError `resource_exhausted` when an event is too long, `invalid_argument` when it is not UTF-8 */
  read(chunk: Uint8Array): void;
}

/** Reads an event stream within bounds. */
export function eventParser({ maxEventChars, lenient = false, onEvent, onId, onRetry }: EventParserInit): EventParser {
  // The parser takes the byte order mark away.
  const decoder = new TextDecoder("utf-8", { fatal: !lenient, ignoreBOM: true });
  let tooLong = false;
  const parser = createParser({
    maxBufferSize: maxEventChars,
    onEvent(event) {
      // The parser's own bound is for what it keeps between two reads.
      tooLong ||= event.data.length > maxEventChars;
      if (!tooLong) onEvent(event);
    },
    onId,
    ...(onRetry && { onRetry }),
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") tooLong = true;
    },
  });
  return {
    read(chunk) {
      parser.feed(textOf(decoder, chunk));
      if (!tooLong) return;
      const message = `an event of the stream is over the limit of ${maxEventChars} characters`;
      throw new TransportError("resource_exhausted", message, { outcome: "unknown" });
    },
  };
}

function textOf(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new ValidationError("the stream is not UTF-8 text", [{ message: "invalid UTF-8", path: [] }], {
      outcome: "unknown",
      cause,
    });
  }
}

import { type ChannelEvents, decode, type Log } from "@parley/core/transport";
import { noiseLog } from "./noise-log.ts";
import { TextLines } from "./text-lines.ts";

/** Lines in a row that look like JSON objects and are no events; one more ends the connection. */
export const MAX_BAD_LINES = 10;

const BRACE = 0x7b;
/** How Parley's own events begin. */
const EVENT_START = '{"specversion":';

/** What a {@link FrameReader} is made from. */
export interface FrameReaderInit {
  readonly maxMessageBytes: number;
  /** Of whom the lines are, for the log. */
  readonly peer: string;
  readonly log: Log | undefined;
}

/**
 * Tells frames from noise in a stream of bytes. A line that starts with `{` may be a frame, anything else is noise: counted, skipped.
 * - What starts as Parley writes events goes to the connection, which ends when it is none: a message was lost.
 * - Another line that starts with `{` (a JSON log, say) is noise too when it is no event; after {@link MAX_BAD_LINES} of these in a row the
 *   next goes to the connection, which ends.
 * - A line over the limit ends the connection when it starts with `{`, and is noise when not.
 */
export class FrameReader {
  readonly #events: Pick<ChannelEvents, "frame" | "refused">;
  readonly #lines: TextLines;
  readonly #tellNoise: (bytes: number) => void;
  #badLines = 0;
  #ended = false;

  constructor(events: Pick<ChannelEvents, "frame" | "refused">, { maxMessageBytes, peer, log }: FrameReaderInit) {
    this.#events = events;
    this.#tellNoise = noiseLog(log, `${peer} writes lines to stdout that are no events`);
    this.#lines = new TextLines(maxMessageBytes, {
      line: (text, damaged, bytes) => this.#line(text, damaged, bytes),
      tooLong: (start) => this.#tooLong(start),
    });
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  /** The stream has ended; what stands without a newline counts if it is whole, and else was cut with its writer. */
  end(): void {
    this.#ended = true;
    this.#lines.end();
  }

  #line(text: string, damaged: boolean, bytes: number): void {
    if (!text.startsWith("{")) return this.#noise(bytes);
    if (!damaged && ((!this.#ended && text.startsWith(EVENT_START)) || isEvent(text))) {
      this.#badLines = 0;
      this.#events.frame(text);
    } else if (!this.#ended && ++this.#badLines > MAX_BAD_LINES) this.#events.frame(text);
    else this.#noise(bytes);
  }

  #tooLong(start: Buffer): void {
    // One character a byte: over the limit for the connection too, which ends.
    if (start[0] === BRACE) this.#events.frame(start.toString("latin1"));
    else this.#noise(start.length);
  }

  #noise(bytes: number): void {
    this.#events.refused();
    this.#tellNoise(bytes);
  }
}

function isEvent(text: string): boolean {
  try {
    decode(text);
    return true;
  } catch {
    return false;
  }
}

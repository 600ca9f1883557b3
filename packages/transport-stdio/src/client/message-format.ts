import { ParleyError } from "@parley/core/transport";
import type { LineFormat } from "../text-lines.ts";

/** How messages stand on the lines of a child. */
export interface MessageFormat {
  /** @throws ParleyError `invalid_argument` for what cannot be written so */
  encode(message: unknown): string;
  /** Undefined: the line is noise. `damaged`: it holds bytes that are no text. */
  decode(line: string, damaged: boolean): unknown;
  /** Whether a line that starts like this may be a message. */
  begins(start: Buffer): boolean;
}

/** A line is a message, whatever stands on it. */
export const lineFormat: MessageFormat = {
  encode(message) {
    if (typeof message === "string") return message;
    throw unwritable(`a line must be a text, and is ${typeof message}`);
  },
  decode: (line) => line,
  begins: () => true,
};

/** A line is a JSON value, or noise. */
export const jsonFormat: MessageFormat = {
  encode(message) {
    let text: string | undefined;
    try {
      text = JSON.stringify(message);
    } catch (cause) {
      throw unwritable("the message cannot be written as JSON", cause);
    }
    if (text === undefined) throw unwritable(`${typeof message} cannot be written as JSON`);
    return text;
  },
  decode(line, damaged) {
    if (damaged) return undefined;
    try {
      return JSON.parse(line);
    } catch {
      return undefined;
    }
  },
  // A long one is an object, an array or a text.
  begins: (start) => /^\s*[{["]/.test(start.toString("latin1", 0, 100)),
};

/**
 * The bytes of a message, with its delimiter.
 * @throws ParleyError `invalid_argument`
 */
export function encodeMessage(message: unknown, format: MessageFormat, lines: LineFormat): Buffer {
  const { delimiter = "\n", encoding = "utf8" } = lines;
  const text = format.encode(message);
  if (!text.includes(delimiter)) return Buffer.from(text + delimiter, encoding);
  throw unwritable(`the message holds the delimiter ${JSON.stringify(delimiter)}: send it in parts`);
}

function unwritable(message: string, cause?: unknown): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent", cause });
}

import { ParleyError } from "@parley/core/transport";

/** What a message is, by the client's format. */
export interface WebSocketMessages {
  /** Text frames of JSON. */
  readonly json: unknown;
  /** Text frames. */
  readonly text: string;
  /** Binary frames. */
  readonly binary: Uint8Array;
  /** Either, as it comes. */
  readonly any: string | Uint8Array;
}

/** A format of messages. */
export type WebSocketFormat = keyof WebSocketMessages;

/** What goes into a frame: text, or binary. */
export type FrameData = string | Uint8Array;

/**
 * What a message is on the wire.
 * @throws ParleyError `invalid_argument`, `not-sent`, for what is no message of the format
 */
export function encodeMessage(format: WebSocketFormat, message: unknown): FrameData {
  const isText = typeof message === "string";
  const isBinary = message instanceof Uint8Array;
  if (format === "json") return encodeJson(message);
  if ((isText && format !== "binary") || (isBinary && format !== "text")) return message;
  throw unfit(`format ${format} sends ${takes[format]}, and not ${isBinary ? "bytes" : typeof message}`);
}

/**
 * Reads a frame.
 * @throws ParleyError `invalid_argument` for what is no message of the format
 */
export function decodeMessage(format: WebSocketFormat, data: Buffer, isBinary: boolean): unknown {
  if (isBinary ? format === "json" || format === "text" : format === "binary")
    throw unfit(`a ${isBinary ? "binary" : "text"} message has come, and format ${format} takes ${takes[format]}`);
  // A copy: what `ws` gives is a view that would keep all alive that came with it.
  if (isBinary) return new Uint8Array(data);
  const text = data.toString();
  if (format !== "json") return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unfit(`a text message of ${text.length} characters has come that is not JSON`, cause);
  }
}

const takes = {
  json: "text",
  text: "a string",
  binary: "a Uint8Array",
  any: "a string or a Uint8Array",
} as const;

function encodeJson(message: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (cause) {
    throw unfit("the message cannot be written as JSON", cause);
  }
  if (text === undefined) throw unfit(`a message of type ${typeof message} cannot be written as JSON`);
  return text;
}

function unfit(message: string, cause?: unknown): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent", cause });
}

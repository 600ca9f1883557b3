import type { Envelope } from "../../envelope/envelope.ts";
import { utf8Length } from "../../envelope/utf8.ts";
import type { Arrival } from "./broker.ts";
import { encodeMessage } from "./encode-message.ts";

/** A message as it leaves: what the broker's adapter gets, and its text, by which it is measured. */
export interface MessageFrame {
  readonly message: Envelope;
  readonly text: string;
}

/** Makes the frame of a message that has all its attributes. @throws ValidationError `not-sent` */
export function messageFrame(message: Envelope): MessageFrame {
  return { message, text: encodeMessage(message) };
}

/** Bytes of a message that leaves, or has come: the same on both sides, since credit counts them. */
export function frameBytes(frame: MessageFrame | Arrival): number {
  if ("text" in frame) return utf8Length(frame.text);
  return frame.bytes ?? utf8Length(encodeMessage(frame.message));
}

/** The message with other attributes; those that are undefined are absent. */
export function withAttributes(message: Envelope, attributes: Readonly<Record<string, unknown>>): Envelope {
  // Only attributes of the hop are replaced: all that an envelope needs stays.
  return Object.assign({ ...message } as Record<string, unknown>, attributes) as unknown as Envelope;
}

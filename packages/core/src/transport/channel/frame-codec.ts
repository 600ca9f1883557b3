import { decode } from "../../envelope/decode.ts";
import { encode, encodeHeader, type HopAttributes } from "../../envelope/encode.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { utf8Length } from "../../envelope/utf8.ts";

/** One event as it travels: text, or bytes where the protocol has a binary format of its own. */
export type Frame = string | Uint8Array;

/** How the events of a channel are written and read. Both ends of a channel use the same. */
export interface FrameCodec<One extends Frame = Frame> {
  /**
   * The message as one frame. Attributes of the hop that brought it are left out, those in `hop` are written.
   * @throws ValidationError `not-sent` for what cannot be sent, as the envelope's JSON codec does.
   */
  encode(message: Envelope, hop?: HopAttributes): One;
  /** The same with other data: JSON text, not checked. @throws ValidationError `not-sent` */
  encodeText(message: Envelope, hop: HopAttributes, data: string): One;
  /** @throws ValidationError when it is no sound event; ParleyError `failed_precondition` for another version of the profile. */
  decode(frame: One): Envelope;
  /** Bytes that the frame takes on the wire; what limits and credit count. */
  bytesOf(frame: One): number;
}

/** CloudEvents' JSON format: a frame is text. */
export const jsonFrames: FrameCodec<string> = {
  encode,
  encodeText: (message, hop, data) => `${encodeHeader(message, hop)},"data":${data}}`,
  decode: (frame) => decode(frame),
  bytesOf: utf8Length,
};

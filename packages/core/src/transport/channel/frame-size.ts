import type { Frame, FrameCodec } from "./frame-codec.ts";

/** Whether a frame takes more bytes on the wire. No character takes more than three, so that most frames need not be measured. */
export function exceeds(codec: FrameCodec, frame: Frame, maxBytes: number): boolean {
  return frame.length * 3 > maxBytes && codec.bytesOf(frame) > maxBytes;
}

import type { FrameCodec } from "@parley/core/transport";
import { decodeEvent } from "./decode-event.ts";
import { encodeEvent, encodeEventText } from "./encode-event.ts";

/** Frames that are CloudEvents in protobuf. */
export const eventFrames: FrameCodec<Buffer> = {
  encode: encodeEvent,
  encodeText: encodeEventText,
  decode: decodeEvent,
  bytesOf: (frame) => frame.length,
};

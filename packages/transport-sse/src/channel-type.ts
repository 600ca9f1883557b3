import type { Limits } from "@parley/core/transport";

/** Operation whose stream carries what the listening side has to say on its own: a channel, down by events, up by requests. */
export const CHANNEL = "parley.channel.v1";

/** Header by which a request names the channel of its sender. */
export const SESSION_HEADER = "parley-session";

/** The window of a stream on a channel, where credit keeps it, and not the kernel's buffers. */
export const CHANNEL_WINDOW: Pick<Limits, "windowItems" | "windowBytes"> = {
  windowItems: 256,
  windowBytes: 256 * 1024,
};

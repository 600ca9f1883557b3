import type { ChannelOptions, Limits, OptionNames, ResumeOptions } from "@parley/core/transport";

/** Options of connections, whatever opened them. */
export interface WsCallOptions extends Pick<ChannelOptions, "heartbeatMs" | "helloTimeoutMs" | "maxQueuedChars"> {
  /** What each connection bears. @default 4 MiB a message, 16,384 calls, 1,024 items and 1 MiB a stream */
  readonly limits?: Limits | undefined;
  /** How long calls that were cut wait for their connection to be back, ms; the smaller of both sides' counts. @default 30_000 */
  readonly resumeWindowMs?: number | undefined;
}

/** The names of {@link WsCallOptions}. */
export const callOptionNames: OptionNames<WsCallOptions> = {
  heartbeatMs: true,
  helloTimeoutMs: true,
  maxQueuedChars: true,
  limits: true,
  resumeWindowMs: true,
};

/** What this side says of sessions. */
export function resumeOf({ resumeWindowMs }: WsCallOptions): ResumeOptions {
  return { windowMs: resumeWindowMs };
}

/** How long a peer may take to answer a closing handshake. */
export const CLOSE_TIMEOUT_MS = 500;

/** Bytes that may wait in a WebSocket before writers are held up. */
export const HIGH_WATER_BYTES: number = 1024 * 1024;

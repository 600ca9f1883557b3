import { cancelled, ParleyError } from "../call/error.ts";
import type { Handler } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import type { Presented } from "../call/presented.ts";
import { shortId } from "../envelope/id.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { OpenChannel } from "./channel/channel.ts";
import { ChannelConnection, type ChannelConnectionInit } from "./channel/channel-connection.ts";
import { type Frame, type FrameCodec, jsonFrames } from "./channel/frame-codec.ts";
import { MAX_BATCH_ITEMS } from "./channel/item-batch.ts";
import type { Hop } from "./hello.ts";
import type { Limits } from "./manifest.ts";
import type { SessionKeeper } from "./session/keeper.ts";
import type { Sessions } from "./session/sessions.ts";
import { type ResumeOptions, resumeSetting } from "./session/terms.ts";
import type { Connection } from "./transport.ts";

/** What calls over a channel need to know. */
export interface ChannelOptions {
  /** Name of the transport, for the handler's `context.peer`. */
  readonly transport: string;
  /** Address of the peer. */
  readonly address?: string | undefined;
  /** Identity of the peer that the wire has authenticated. */
  readonly principal?: string | undefined;
  /** Until when the certificate is good that `principal` is from, ms since 1970. */
  readonly certifiedUntil?: number | undefined;
  /** What the peer showed when it opened the channel. */
  readonly presented?: Presented | undefined;
  /** Answers calls from the peer. */
  readonly handler?: Handler | undefined;
  /** What this side bears. @default {@link channelLimits} */
  readonly limits?: Limits | undefined;
  /** Longest silence, ms; a peer silent for twice that is given up. The smaller of both sides' counts. @default 15_000 */
  readonly heartbeatMs?: number | undefined;
  /** Gives up the handshake; of no effect once the connection is open. */
  readonly signal?: AbortSignal | undefined;
  /** Time for the handshake, ms. @default 10_000 */
  readonly helloTimeoutMs?: number | undefined;
  /** Frames that may wait for a peer who takes none, UTF-16 code units (of frames that are bytes, bytes); at the bound the connection ends. @default 16 Mi */
  readonly maxQueuedChars?: number | undefined;
  /** How events are written on this channel, and read. @default CloudEvents' JSON format, a text per event */
  readonly codec?: FrameCodec | undefined;
  /** How far this side goes to make cuts pass unnoticed, where both sides can. */
  readonly resume?: ResumeOptions | undefined;
  /** Dialling: what carries the session on, from the options of `connect`. Without it a cut ends the connection. */
  readonly session?: SessionKeeper | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a channel bears unless it says otherwise. */
export const channelLimits: Limits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxCalls: 16_384,
  // With a quarter of it both ends of a stream wait for each other: WebSocket carried 2.2 times as many small items as raw code, and carries 3.
  windowItems: 1_024,
  windowBytes: 1024 * 1024,
};

/**
 * Makes a connection over a channel that this side dialled; resolves when the handshake is done. Where there is a session to resume, and the peer
 * knows it, that is the connection that was cut, which goes on by this channel.
 * @throws ParleyError `unavailable`, `deadline_exceeded`, `failed_precondition` when the handshake fails; the channel is closed then.
 */
export async function dialChannel(open: OpenChannel<Frame>, options: ChannelOptions): Promise<Connection> {
  const { signal } = options;
  const connection = new ChannelConnection(open, initOf(options, { dialled: true, keeper: options.session }));
  const abort = () => void connection.close();
  signal?.addEventListener("abort", abort);
  try {
    if (signal?.aborted) abort();
    return await connection.greeted;
  } catch (error) {
    throw signal?.aborted ? cancelled(signal.reason, "not-sent") : error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Makes a connection over a channel that the peer dialled. It serves calls once the peer has said hello, and ends with its channel. */
export function acceptChannel(open: OpenChannel<Frame>, options: ChannelOptions): Connection {
  return new ChannelConnection(open, initOf(options, { dialled: false }));
}

/** The same for a listener with sessions: a connection may outlive its channel, and a channel be one of a connection that there was before. */
export function acceptInSession(open: OpenChannel<Frame>, options: ChannelOptions, sessions: Sessions): Connection {
  return new ChannelConnection(open, initOf(options, { dialled: false, sessions }));
}

/**
 * Checks what a channel is told, for transports that start something before they have a channel.
 * @throws ParleyError `invalid_argument`, `not-sent`
 */
export function checkChannelOptions({
  heartbeatMs = 1,
  helloTimeoutMs = 1,
  maxQueuedChars = 1,
  resume,
}: ChannelCounts): void {
  resumeSetting(resume);
  for (const [name, value] of Object.entries({ heartbeatMs, helloTimeoutMs, maxQueuedChars })) {
    if (value > 0) continue;
    throw new ParleyError("invalid_argument", `${name} must be positive, and is ${value}`, { outcome: "not-sent" });
  }
}

/** Numbers among the options of a channel. */
type ChannelCounts = Pick<ChannelOptions, "heartbeatMs" | "helloTimeoutMs" | "maxQueuedChars" | "resume">;

interface Side extends Pick<ChannelConnectionInit, "dialled"> {
  readonly sessions?: Sessions;
  readonly keeper?: SessionKeeper | undefined;
}

function initOf(options: ChannelOptions, { dialled, sessions, keeper }: Side): ChannelConnectionInit {
  checkChannelOptions(options);
  const { handler, log, runtime = systemRuntime, limits = channelLimits } = options;
  const { transport, address, principal, certifiedUntil, presented } = options;
  const { heartbeatMs = 15_000, helloTimeoutMs = 10_000, maxQueuedChars = 16 * 1024 * 1024 } = options;
  const { codec = jsonFrames, resume } = options;
  const hop: Hop = { limits, batchItems: MAX_BATCH_ITEMS, heartbeatMs };
  return {
    dialled,
    peer: { transport, address, principal, certifiedUntil, presented },
    codec,
    handler,
    hop,
    source: `/${shortId(runtime)}`,
    maxQueuedChars,
    helloTimeoutMs,
    resume: resumeSetting(resume),
    sessions,
    keeper,
    runtime,
    log,
  };
}

import { cancelled, ParleyError } from "../call/error.ts";
import type { Handler } from "../call/interceptor.ts";
import type { Log } from "../call/log.ts";
import { shortId } from "../envelope/id.ts";
import { type Runtime, systemRuntime } from "../runtime/runtime.ts";
import type { OpenChannel } from "./channel/channel.ts";
import { ChannelConnection, type ChannelConnectionInit } from "./channel/channel-connection.ts";
import { MAX_BATCH_ITEMS } from "./channel/item-batch.ts";
import type { Hop } from "./hello.ts";
import type { Limits } from "./manifest.ts";
import type { Connection } from "./transport.ts";

/** What calls over a channel need to know. */
export interface ChannelOptions {
  /** Name of the transport, for the handler's `context.peer`. */
  readonly transport: string;
  /** Address of the peer. */
  readonly address?: string | undefined;
  /** Identity of the peer that the wire has authenticated. */
  readonly principal?: string | undefined;
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
  /** Frames that may wait for a peer who takes none, UTF-16 code units; at the bound the connection ends. @default 16 Mi */
  readonly maxQueuedChars?: number | undefined;
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** What a channel bears unless it says otherwise. */
export const channelLimits: Limits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxCalls: 16_384,
  windowItems: 256,
  windowBytes: 256 * 1024,
};

/**
 * Makes a connection over a channel that this side dialled; resolves when the handshake is done.
 * @throws ParleyError `unavailable`, `deadline_exceeded`, `failed_precondition` when the handshake fails; the channel is closed then.
 */
export async function dialChannel(open: OpenChannel, options: ChannelOptions): Promise<Connection> {
  const { signal } = options;
  const connection = new ChannelConnection(open, initOf(options, true));
  const abort = () => void connection.close();
  signal?.addEventListener("abort", abort);
  try {
    if (signal?.aborted) abort();
    await connection.greeted;
    return connection;
  } catch (error) {
    throw signal?.aborted ? cancelled(signal.reason, "not-sent") : error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Makes a connection over a channel that the peer dialled. It serves calls once the peer has said hello. */
export function acceptChannel(open: OpenChannel, options: ChannelOptions): Connection {
  return new ChannelConnection(open, initOf(options, false));
}

function initOf(options: ChannelOptions, dialled: boolean): ChannelConnectionInit {
  const { transport, address, principal, handler, log, runtime = systemRuntime, limits = channelLimits } = options;
  const { heartbeatMs = 15_000, helloTimeoutMs = 10_000, maxQueuedChars = 16 * 1024 * 1024 } = options;
  if (!(heartbeatMs > 0))
    throw new ParleyError("invalid_argument", `heartbeatMs must be positive, and is ${heartbeatMs}`);
  const hop: Hop = { limits, batchItems: MAX_BATCH_ITEMS, heartbeatMs };
  return {
    dialled,
    peer: { transport, address, principal },
    handler,
    hop,
    source: `/${shortId(runtime)}`,
    maxQueuedChars,
    helloTimeoutMs,
    runtime,
    log,
  };
}

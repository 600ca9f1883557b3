import type { ParleyError } from "../call/error.ts";
import { systemRuntime } from "../runtime/runtime.ts";
import type { OpenChannel } from "./channel/channel.ts";
import type { Frame } from "./channel/frame-codec.ts";
import { noStats, pastStats, sumStats } from "./connection-stats.ts";
import { acceptChannel, acceptInSession, type ChannelOptions, checkChannelOptions } from "./over-channel.ts";
import { Sessions, type SessionsOptions } from "./session/sessions.ts";
import type { CloseOptions, Connection, Listener } from "./transport.ts";

/** What a listener of channels is made from. */
export interface ChannelListenerInit {
  readonly url: URL;
  /** What every connection gets; `handler` above all. */
  readonly channel: Omit<ChannelOptions, keyof AcceptedPeer | "session">;
  /** Lets connections outlive their channels, for peers that want it. @default none do */
  readonly sessions?: SessionsOptions | undefined;
  /** Stops taking connections at once; resolves when the address is free and all that was accepted has ended. */
  stop(): Promise<void> | void;
}

/** What is known of whoever dialled. */
export type AcceptedPeer = Pick<ChannelOptions, "address" | "principal" | "certifiedUntil" | "presented">;

/** A listener that is fed with the channels that its protocol accepts. */
export interface ChannelListener extends Listener {
  /** Takes a channel that a peer dialled. */
  accept(open: OpenChannel<Frame>, peer: AcceptedPeer): Connection;
}

/**
 * Makes the listener of a transport over channels: it keeps the connections, counts for them all, and drains them on close.
 * @throws ParleyError `invalid_argument` for options that no connection could have
 */
export function channelListener(init: ChannelListenerInit): ChannelListener {
  checkChannelOptions(init.channel);
  const { runtime = systemRuntime } = init.channel;
  const sessions = init.sessions && new Sessions(init.sessions, runtime);
  const connections = new Set<Connection>();
  let past = noStats;
  let closing: Promise<void> | undefined;

  async function shutDown(options: CloseOptions): Promise<void> {
    const stopped = init.stop();
    await Promise.all([...connections].map((connection) => connection.close(options)));
    await stopped;
  }

  return {
    url: init.url,
    accept(open, peer) {
      const options = { ...init.channel, ...peer };
      const connection = sessions ? acceptInSession(open, options, sessions) : acceptChannel(open, options);
      connections.add(connection);
      connection.closed.then((_reason: ParleyError | undefined) => {
        connections.delete(connection);
        past = sumStats([past, pastStats(connection.stats())]);
      });
      return connection;
    },
    stats: () => sumStats([past, ...[...connections].map((connection) => connection.stats())]),
    close(options = {}) {
      closing ??= shutDown(options);
      return closing;
    },
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}

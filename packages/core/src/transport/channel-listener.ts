import type { ParleyError } from "../call/error.ts";
import type { OpenChannel } from "./channel/channel.ts";
import { acceptChannel, type ChannelOptions } from "./over-channel.ts";
import type { CloseOptions, Connection, ConnectionStats, Listener } from "./transport.ts";

/** What a listener of channels is made from. */
export interface ChannelListenerInit {
  readonly url: URL;
  /** What every connection gets; `handler` above all. */
  readonly channel: Omit<ChannelOptions, "address" | "principal">;
  /** Stops taking connections at once; resolves when the address is free and all that was accepted has ended. */
  stop(): Promise<void> | void;
}

/** A listener that is fed with the channels that its protocol accepts. */
export interface ChannelListener extends Listener {
  /** Takes a channel that a peer dialled. */
  accept(open: OpenChannel, peer: Pick<ChannelOptions, "address" | "principal">): Connection;
}

/** Makes the listener of a transport over channels: it keeps the connections, counts for them all, and drains them on close. */
export function channelListener(init: ChannelListenerInit): ChannelListener {
  const connections = new Set<Connection>();
  let past: ConnectionStats = { openCalls: 0, lateMessages: 0, refusedMessages: 0 };
  let closing: Promise<void> | undefined;

  async function shutDown(options: CloseOptions): Promise<void> {
    const stopped = init.stop();
    await Promise.all([...connections].map((connection) => connection.close(options)));
    await stopped;
  }

  return {
    url: init.url,
    accept(open, peer) {
      const connection = acceptChannel(open, { ...init.channel, ...peer });
      connections.add(connection);
      connection.closed.then((_reason: ParleyError | undefined) => {
        connections.delete(connection);
        past = sum(past, { ...connection.stats(), openCalls: 0 });
      });
      return connection;
    },
    stats: () => [...connections].reduce((total, connection) => sum(total, connection.stats()), past),
    close(options = {}) {
      closing ??= shutDown(options);
      return closing;
    },
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}

function sum(a: ConnectionStats, b: ConnectionStats): ConnectionStats {
  return {
    openCalls: a.openCalls + b.openCalls,
    lateMessages: a.lateMessages + b.lateMessages,
    refusedMessages: a.refusedMessages + b.refusedMessages,
  };
}

import type { Socket } from "node:net";
import { isLoopback, socketPeer } from "../../node/index.ts";
import type { Peer } from "../../transport/index.ts";

/** What is known of the other end of a socket. */
export interface WebPeer {
  readonly peer: Peer;
  /** Whether the socket was taken on a loopback address: then callers are on this machine, and browsers' pages may be tricked into calling. */
  readonly loopback: boolean;
  /** The `Host` that it was let in with; one socket says the same again and again. */
  host?: string;
}

/** The other ends of sockets, each found out once. */
export class Peers {
  readonly #transport: string;
  readonly #known = new WeakMap<Socket, WebPeer>();

  /** @param transport name of the transport, for `context.peer`. */
  constructor(transport: string) {
    this.#transport = transport;
  }

  /** What is known of the other end of a socket. */
  of(socket: Socket): WebPeer {
    let found = this.#known.get(socket);
    if (!found) {
      const { localAddress } = socket;
      found = {
        peer: { transport: this.#transport, ...socketPeer(socket) },
        loopback: localAddress !== undefined && isLoopback(localAddress),
      };
      this.#known.set(socket, found);
    }
    return found;
  }
}

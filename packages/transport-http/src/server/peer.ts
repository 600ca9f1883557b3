import type { Socket } from "node:net";
import { isLoopback, socketPeer } from "@parley/core/node";
import type { Peer } from "@parley/core/transport";

/** What is known of the other end of a socket. */
export interface HttpPeer {
  readonly peer: Peer;
  /** Whether the socket was taken on a loopback address: then callers are on this machine, and browsers' pages may be tricked into calling. */
  readonly loopback: boolean;
}

const known = new WeakMap<Socket, HttpPeer>();

/** What is known of the other end; found out once per socket. */
export function peerOf(socket: Socket): HttpPeer {
  let found = known.get(socket);
  if (!found) {
    const { localAddress } = socket;
    found = {
      peer: { transport: "http", ...socketPeer(socket) },
      loopback: localAddress !== undefined && isLoopback(localAddress),
    };
    known.set(socket, found);
  }
  return found;
}

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Peer } from "@parley/core/transport";

/** What is known of the other end of a socket. */
export interface SocketPeer {
  readonly peer: Peer;
  /** Whether the socket was taken on a loopback address: then callers are on this machine, and browsers' pages may be tricked into calling. */
  readonly loopback: boolean;
}

const known = new WeakMap<Socket, SocketPeer>();

/** What is known of the other end; found out once per socket. */
export function peerOf(socket: Socket): SocketPeer {
  let found = known.get(socket);
  if (!found) {
    const { remoteAddress, remotePort, localAddress } = socket;
    const address = remoteAddress === undefined ? undefined : `${bracketed(remoteAddress)}:${remotePort}`;
    found = {
      peer: { transport: "http", address, principal: certifiedName(socket as TLSSocket) },
      loopback: localAddress !== undefined && isLoopback(localAddress),
    };
    known.set(socket, found);
  }
  return found;
}

/** Whether an address or host name is of this machine alone. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(name);
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/**
 * The name in the caller's verified certificate: its first subject alternative name that is a URI or DNS name (RFC 6125 leaves the common
 * name aside).
 */
function certifiedName(socket: Partial<TLSSocket>): string | undefined {
  if (!socket.authorized) return undefined;
  const names = socket.getPeerCertificate?.().subjectaltname?.split(", ") ?? [];
  const name = names.find((one) => one.startsWith("URI:")) ?? names.find((one) => one.startsWith("DNS:"));
  return name?.slice(4);
}

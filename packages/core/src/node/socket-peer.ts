import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** Who is at the other end of a socket, as far as TCP and TLS know. */
export interface SocketPeer {
  /** `"127.0.0.1:50312"`, `"[::1]:50312"` */
  readonly address: string | undefined;
  /** The name in a verified client certificate: its first URI, else DNS name (RFC 6125 leaves the common name aside). */
  readonly principal: string | undefined;
}

/** Finds out who is at the other end of a socket. */
export function socketPeer(socket: Socket): SocketPeer {
  const { remoteAddress, remotePort } = socket;
  return {
    address: remoteAddress === undefined ? undefined : `${bracketed(remoteAddress)}:${remotePort}`,
    principal: certifiedName(socket as Partial<TLSSocket>),
  };
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function certifiedName(socket: Partial<TLSSocket>): string | undefined {
  if (!socket.authorized) return undefined;
  const names = socket.getPeerCertificate?.().subjectaltname?.split(", ") ?? [];
  const name = names.find((one) => one.startsWith("URI:")) ?? names.find((one) => one.startsWith("DNS:"));
  return name?.slice(4);
}

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** Who is at the other end of a socket, as far as TCP and TLS know. */
export interface SocketPeer {
  /** `"127.0.0.1:50312"`, `"[::1]:50312"` */
  readonly address: string | undefined;
  /** The name in a verified client certificate: its first URI, else DNS name (RFC 6125 leaves the common name aside). */
  readonly principal: string | undefined;
  /** Until when that certificate is good, ms since 1970. */
  readonly certifiedUntil: number | undefined;
}

/** Finds out who is at the other end of a socket. */
export function socketPeer(socket: Socket): SocketPeer {
  const { remoteAddress, remotePort } = socket;
  return {
    address: remoteAddress === undefined ? undefined : `${bracketed(remoteAddress)}:${remotePort}`,
    ...certified(socket as Partial<TLSSocket>),
  };
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function certified(socket: Partial<TLSSocket>): Pick<SocketPeer, "principal" | "certifiedUntil"> {
  const certificate = socket.authorized ? socket.getPeerCertificate?.() : undefined;
  const { subjectaltname = "" } = certificate ?? {};
  // Node quotes a name that holds what separates names; no such name is anybody's.
  const names = subjectaltname.includes('"') ? [] : subjectaltname.split(", ");
  const name = names.find((one) => one.startsWith("URI:")) ?? names.find((one) => one.startsWith("DNS:"));
  if (!certificate || name === undefined) return { principal: undefined, certifiedUntil: undefined };
  return { principal: name.slice(4), certifiedUntil: Date.parse(certificate.valid_to) };
}

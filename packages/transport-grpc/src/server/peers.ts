import type { Socket } from "node:net";
import { socketPeer } from "@parley/core/node";
import type { Peer } from "@parley/core/transport";

/** The connections of a listener, by the name that gRPC has for them: address and port of the other end. */
export class Peers {
  readonly #sockets = new Set<Socket>();
  readonly #known = new Map<string, { readonly peer: Peer; readonly socket: Socket }>();

  /** Watches over a TCP connection until it has closed, whatever becomes of it. */
  connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  /** Gets to know a connection that is ready for HTTP/2. */
  add(socket: Socket): void {
    const name = `${socket.remoteAddress}:${socket.remotePort}`;
    const entry = { peer: { transport: "grpc", ...socketPeer(socket) }, socket };
    this.#known.set(name, entry);
    socket.once("close", () => {
      if (this.#known.get(name) === entry) this.#known.delete(name);
    });
  }

  /** Who is at the other end. */
  find(name: string): Peer {
    return this.#known.get(name)?.peer ?? { transport: "grpc", address: name };
  }

  /** Cuts a connection. */
  cut(name: string): void {
    this.#known.get(name)?.socket.destroy();
  }

  /** Cuts all connections. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

import type { HttpSocket } from "./socket.ts";

/**
 * The sockets to one peer. A call has one for itself while it lasts, and the one that came free last goes to the next call, so that there
 * are as many as there were calls at a time. (undici's own pool takes another one while the last answer is still being put away, and so
 * needs twice as many.)
 */
export class Sockets {
  readonly #open: () => HttpSocket;
  readonly #all = new Set<HttpSocket>();
  readonly #free: HttpSocket[] = [];

  constructor(open: () => HttpSocket) {
    this.#open = open;
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** How many of them nobody uses. */
  get free(): number {
    return this.#free.length;
  }

  /** A socket that nobody uses; it is opened when something is sent. */
  take(): HttpSocket {
    const free = this.#free.pop();
    if (free) return free;
    const socket = this.#open();
    this.#all.add(socket);
    return socket;
  }

  /** The call that used it is over. */
  give(socket: HttpSocket): void {
    this.#free.push(socket);
  }

  /** Closes one that nobody will use again. */
  drop(socket: HttpSocket): void {
    if (this.#all.delete(socket)) socket.destroy().catch(() => {});
  }

  /** Closes the one that has been free for longest. */
  shed(): void {
    const socket = this.#free.shift();
    if (socket) this.drop(socket);
  }

  /** Closes all, at once. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#all].map((socket) => socket.destroy()));
  }
}

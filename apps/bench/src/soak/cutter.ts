import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP relay on 127.0.0.1 that can be cut. */
export interface Cutter extends AsyncDisposable {
  /** The address to dial in place of the target's. */
  readonly url: URL;
  /** Connections that it has cut so far. */
  readonly cuts: number;
  /** Connections that are open. */
  readonly open: number;
  /** Resets a share, from 0 to 1, of what is open, and at least one connection. */
  cut(share: number): void;
}

/** Opens one before the host and port of `target`. */
export async function cutter(target: URL): Promise<Cutter> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let cuts = 0;
  const server: Server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [own, other] of [pair, [far, near] as const]) {
      own.on("error", () => {});
      own.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
      own.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.port = String((server.address() as { port: number }).port); // a TCP server's address is an object
  const cut = (share: number): void => {
    let certain = true;
    for (const pair of pairs) {
      if (!certain && Math.random() >= share) continue;
      certain = false;
      cuts++;
      for (const socket of pair) {
        // Node keeps the handle of a socket that is reset before it is connected.
        if (socket.connecting) socket.destroy();
        else socket.resetAndDestroy();
      }
    }
  };
  return {
    url,
    get cuts() {
      return cuts;
    },
    get open() {
      return pairs.size;
    },
    cut,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      await closed;
    },
  };
}

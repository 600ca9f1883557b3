import { connect, createServer, type Socket } from "node:net";

/** Passes TCP on, and counts. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes from those who connect, and to them. */
  readonly up: number;
  readonly down: number;
  /** Connections that are open. */
  readonly open: number;
}

/** Listens, and passes on what comes to a port of this machine. */
export async function proxyTo(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let up = 0;
  let down = 0;
  let open = 0;
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    open++;
    near.on("close", () => open--);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
    near.on("data", ({ length }) => {
      up += length;
    });
    far.on("data", ({ length }) => {
      down += length;
    });
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: own } = server.address() as { port: number };
  return {
    port: own,
    get up() {
      return up;
    },
    get down() {
      return down;
    },
    get open() {
      return open;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a server that can be cut and shut. */
export interface Cable extends Disposable {
  /** The URL, by this way. */
  via(url: URL): URL;
  /** Cuts all connections there are. */
  cut(): void;
  /** While it is shut, new ones are cut at once. */
  shut: boolean;
}

/** Lays a way that passes bytes on as they are. */
export async function cable(): Promise<Cable> {
  const sockets = new Set<Socket>();
  let port = 0;
  let shut = false;
  const server = createServer((near) => {
    if (shut) return void near.destroy();
    const far = connect({ host: "127.0.0.1", port });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    cut,
    get shut() {
      return shut;
    },
    set shut(value) {
      shut = value;
    },
    via(url) {
      port = Number(url.port);
      const near = new URL(url);
      near.port = String((server.address() as AddressInfo).port);
      return near;
    },
    [Symbol.dispose]() {
      cut();
      server.close();
    },
  };
}

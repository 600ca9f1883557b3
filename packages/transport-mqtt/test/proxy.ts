import { connect, type Socket } from "node:net";
import { startServer, type TestBroker } from "./brokers.ts";

/** Stands between client and broker. */
export interface Proxy extends TestBroker {
  /** Connections made so far. */
  readonly connections: number;
  /** Breaks the connections that are open, as a network does. */
  cut(): void;
}

/** What a {@link Proxy} does beside passing on. */
export interface ProxyInit {
  /** What is done with bytes of the client's; `false` keeps them back. */
  readonly fromClient?: (chunk: Buffer, connection: number) => boolean;
  /** The same for those of the broker's. */
  readonly fromBroker?: (chunk: Buffer, connection: number) => boolean;
}

/** Starts one. */
export async function startProxy(to: URL, { fromClient, fromBroker }: ProxyInit = {}): Promise<Proxy> {
  const open = new Set<Socket>();
  let connections = 0;
  const server = await startServer((socket) => {
    const connection = ++connections;
    const broker = connect({ port: Number(to.port), host: to.hostname, noDelay: true });
    socket.setNoDelay(true);
    open.add(socket);
    const end = (): void => {
      open.delete(socket);
      socket.destroy();
      broker.destroy();
    };
    socket.on("close", end).on("error", end);
    broker.on("close", end).on("error", end);
    socket.on("data", (chunk) => {
      if (fromClient?.(chunk, connection) !== false) broker.write(chunk);
    });
    broker.on("data", (chunk) => {
      if (fromBroker?.(chunk, connection) !== false) socket.write(chunk);
    });
  });
  return {
    url: server.url,
    get connections() {
      return connections;
    },
    cut() {
      for (const socket of open) socket.resetAndDestroy();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebSocketServer } from "ws";
import type { ServingSide } from "../contender.ts";

/** What a contender listens on that serves HTTP. */
export const loopback = { host: "127.0.0.1", port: 0 } as const;

/** Serves on a free port. */
export async function servingHttp(server: Server): Promise<ServingSide> {
  server.listen(loopback);
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Serves with a server of WebSockets that has been made with a port. */
export async function servingWs(server: WebSocketServer): Promise<ServingSide> {
  await once(server, "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

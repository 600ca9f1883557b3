import { once } from "node:events";
import { createServer } from "node:http";
import { createORPCClient } from "@orpc/client";
import { RPCLink as HttpLink } from "@orpc/client/fetch";
import { RPCLink as WsLink } from "@orpc/client/websocket";
import { os, type RouterClient, type } from "@orpc/server";
import { RPCHandler as HttpHandler } from "@orpc/server/node";
import { RPCHandler as WsHandler } from "@orpc/server/ws";
import { WebSocket, WebSocketServer } from "ws";
import { type CallingSide, type Contender, check } from "../../contender.ts";
import { type Payload, type StreamRequest, serialOf } from "../../payload.ts";
import { loopback, servingHttp, servingWs } from "../serving.ts";
import { itemsOf, readItems } from "./items.ts";

const router = {
  // `type` checks nothing.
  echo: os.input(type<Payload>()).handler(({ input }) => input),
  stream: os.input(type<StreamRequest>()).handler(async function* ({ input }) {
    yield* itemsOf(input);
  }),
};

type Client = RouterClient<typeof router>;

/** oRPC over WebSocket, with the `ws` library on both sides. */
export const orpcWs: Contender = {
  serve() {
    const handler = new WsHandler(router);
    const server = new WebSocketServer({ ...loopback, perMessageDeflate: false });
    server.on("connection", (socket) => void handler.upgrade(socket, { context: {} }));
    return servingWs(server);
  },
  async connect(url) {
    const websocket = new WebSocket(url, { perMessageDeflate: false });
    await once(websocket, "open");
    // The link takes the members that both have.
    const link = new WsLink({ websocket: websocket as unknown as globalThis.WebSocket });
    return callingSide(createORPCClient(link), () => websocket.close());
  },
};

/** oRPC over HTTP, streams as event streams. */
export const orpcHttp: Contender = {
  serve() {
    const handler = new HttpHandler(router);
    return servingHttp(
      createServer((request, response) => {
        handler.handle(request, response, { context: {} }).then(
          ({ matched }) => matched || response.writeHead(404).end(),
          (error) => response.destroy(error),
        );
      }),
    );
  },
  async connect(url) {
    return callingSide(createORPCClient(new HttpLink({ url })), () => {});
  },
};

function callingSide(client: Client, close: () => void): CallingSide {
  return {
    async request(data) {
      check("the reply's serial", serialOf(await client.echo(data)), data.serial);
    },
    async stream(asked) {
      await readItems(await client.stream(asked), asked);
    },
    close: async () => close(),
  };
}

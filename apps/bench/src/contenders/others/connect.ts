import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { type Client, type ConnectRouter, createClient } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { type CallingSide, type Contender, check } from "../../contender.ts";
import { type SmallPayload, smallPayload } from "../../payload.ts";
import { loopback, servingHttp } from "../serving.ts";
import { EchoService } from "./echo_pb.ts";
import { readItems } from "./items.ts";

function routes(router: ConnectRouter): void {
  router.service(EchoService, {
    echo: (note) => note,
    async *stream({ items }) {
      for (let serial = 1; serial <= items; serial++) yield smallPayload(serial);
    },
  });
}

/** Connect's own protocol over HTTP/1.1, in binary. */
export const connectHttp: Contender = {
  serve: () => servingHttp(createServer(connectNodeAdapter({ routes }))),
  async connect(baseUrl) {
    const transport = createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true });
    return callingSide(createClient(EchoService, transport), () => {});
  },
};

/** gRPC by Connect, over one connection of HTTP/2. */
export const connectGrpc: Contender = {
  async serve() {
    const server = createHttp2Server(connectNodeAdapter({ routes }));
    const sessions = new Set<ServerHttp2Session>();
    server.on("session", (session) => {
      sessions.add(session);
      session.on("close", () => sessions.delete(session));
    });
    server.listen(loopback);
    await once(server, "listening");
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async close() {
        for (const session of sessions) session.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
  async connect(baseUrl) {
    const sessionManager = new Http2SessionManager(baseUrl);
    const transport = createGrpcTransport({ baseUrl, sessionManager });
    return callingSide(createClient(EchoService, transport), () => sessionManager.abort());
  },
};

function callingSide(client: Client<typeof EchoService>, close: () => void): CallingSide {
  return {
    async request(data) {
      const { serial } = await client.echo(data as SmallPayload); // only small ones are asked for
      check("the reply's serial", serial, data.serial);
    },
    stream: (asked) => readItems(client.stream({ items: asked.items }), asked),
    close: async () => close(),
  };
}

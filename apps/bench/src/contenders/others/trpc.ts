import { createServer } from "node:http";
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpLink,
  httpSubscriptionLink,
  splitLink,
  type TRPCLink,
  wsLink,
} from "@trpc/client";
import { initTRPC } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { EventSource } from "eventsource";
import { WebSocket, WebSocketServer } from "ws";
import { type CallingSide, type Contender, check, type ServingSide } from "../../contender.ts";
import { type Payload, type StreamRequest, serialOf } from "../../payload.ts";
import { loopback, servingHttp, servingWs } from "../serving.ts";
import { itemsOf, readItems } from "./items.ts";

const { router: routerOf, procedure } = initTRPC.create();

const router = routerOf({
  // The parsers check nothing.
  echo: procedure.input((input: unknown) => input as Payload).mutation(({ input }) => input),
  stream: procedure
    .input((input: unknown) => input as StreamRequest)
    .subscription(async function* ({ input }) {
      yield* itemsOf(input);
    }),
});

type Router = typeof router;

/** tRPC over its WebSocket link, with the `ws` library on both sides. */
export const trpcWs: Contender = {
  serve() {
    const server = new WebSocketServer({ ...loopback, perMessageDeflate: false });
    applyWSSHandler({ wss: server, router });
    return servingWs(server);
  },
  async connect(url) {
    // As tRPC's documentation has it for Node, where its own `WebSocket` is another library's.
    const socket = createWSClient({ url, WebSocket: WebSocket as unknown as typeof globalThis.WebSocket });
    return callingSide(wsLink<Router>({ client: socket }), () => socket.close());
  },
};

/** tRPC with a call an HTTP request, and subscriptions as event streams. */
export const trpcHttp: Contender = {
  serve,
  async connect(url) {
    const link = splitLink<Router>({
      condition: ({ type }) => type === "subscription",
      true: httpSubscriptionLink({ url, EventSource }),
      false: httpLink({ url }),
    });
    return callingSide(link);
  },
};

/** tRPC with the calls of a turn in one HTTP request. */
export const trpcBatch: Contender = {
  serve,
  async connect(url) {
    const { stream: _, ...side } = callingSide(httpBatchLink<Router>({ url }));
    return side;
  },
};

function serve(): Promise<ServingSide> {
  return servingHttp(createServer(createHTTPHandler({ router })));
}

function callingSide(link: TRPCLink<Router>, close: () => Promise<void> | void = () => {}): CallingSide {
  const client = createTRPCClient<Router>({ links: [link] });
  return {
    async request(data) {
      check("the reply's serial", serialOf(await client.echo.mutate(data)), data.serial);
    },
    stream: (asked) => readItems(client.stream.subscribe(asked), asked),
    close: async () => close(),
  };
}

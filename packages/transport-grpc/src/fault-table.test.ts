import { once } from "node:events";
import { appendFileSync } from "node:fs";
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2Server,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { bearer } from "@parley/core";
import { certificates } from "@parley/test-certificates";
import { type Fault, holdsToFaultTable } from "../../core/test/fault-table.ts";
import { protoFolders } from "../test/protos.ts";
import { GrpcClient, type GrpcClientOptions } from "./index.ts";

type Peer = (peers: AsyncDisposableStack) => Promise<string>;

/** Listens until the stack is disposed of; then what is connected is cut. */
async function at(server: Server | Http2Server, peers: AsyncDisposableStack, scheme = "grpc"): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  await once(server.listen(0, "127.0.0.1"), "listening");
  peers.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address is an object
}

/** A server of HTTP/2, with what it does with each call. */
const serving =
  (taken: (stream: ServerHttp2Stream) => void): Peer =>
  (peers) => {
    const server = createHttp2Server();
    server.on("sessionError", () => {});
    server.on("stream", (stream) => taken(stream.on("error", () => {})));
    return at(server, peers);
  };

const respond = (stream: ServerHttp2Stream, trailers: object = {}, endStream = false): void =>
  stream.respond({ ":status": 200, "content-type": "application/grpc", ...trailers }, { endStream });

/** Ends each call with a status. */
const ending = (status: number, trailers: object = {}): Peer =>
  serving((stream) => respond(stream, { "grpc-status": status, ...trailers }, true));

const using =
  (peer: Peer, options: Partial<GrpcClientOptions>, use: (client: GrpcClient) => Promise<unknown>): Fault =>
  async (peers) => {
    const url = await peer(peers);
    return (clients) => {
      const files = { proto: "demo/v1/demo.proto", includeDirs: [...protoFolders] };
      const client = new GrpcClient({ url, ...files, ...options });
      clients.defer(() => client.close({ graceMs: 0 }));
      return use(client);
    };
  };

const asking = (peer: Peer, options: Partial<GrpcClientOptions> = {}): Fault =>
  using(peer, options, (client) => client.unary("demo.v1.Demo/SayHello", { name: "Ada" }));

/** A field of protobuf that has a length. */
const field = (number: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);

/** `google.rpc.Status` 8 with a `RetryInfo` of 7 s. */
const retryLater = Buffer.concat([
  Buffer.from([0x08, 8]),
  field(
    3,
    Buffer.concat([
      field(1, Buffer.from("type.googleapis.com/google.rpc.RetryInfo")),
      field(2, field(1, Buffer.from([0x08, 7]))),
    ]),
  ),
]).toString("base64");

async function* endless() {
  for (;;) yield { value: 1 };
}

holdsToFaultTable("GrpcClient", {
  refused: asking(async () => {
    await using gone = new AsyncDisposableStack();
    return await at(createServer(), gone);
  }),
  "wrong certificate": asking((peers) => {
    const { serverCert: cert, serverKey: key } = certificates;
    return at(
      createSecureServer({ cert, key }).on("sessionError", () => {}),
      peers,
      "grpcs",
    );
  }),
  silent: asking(
    (peers) =>
      at(
        createServer((socket) => socket.resume()),
        peers,
      ),
    { connectTimeoutMs: 200 },
  ),
  gone: asking(serving((stream) => stream.session?.destroy())),
  "half answer": asking(
    serving((stream) => {
      respond(stream);
      stream.write(Buffer.from([0, 0, 0, 0, 100, 1, 2]), () => stream.session?.destroy());
    }),
  ),
  "too many requests": {
    fault: asking(ending(8, { "grpc-status-details-bin": retryLater })),
    error: { retryAfterMs: 7_000 },
  },
  "expired token": asking(ending(16), { credentials: bearer(() => crypto.randomUUID()) }),
  "full pipe": using(
    serving((stream) => stream.pause()),
    {},
    async (client) => {
      await Promise.all([client.connect(), client.services()]);
      return client.clientStream("demo.v1.Demo/Sum", endless(), { timeoutMs: 1_500 });
    },
  ),
  "full disk": using(
    serving((stream) => {
      respond(stream);
      stream.write(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
    }),
    {},
    async (client) => {
      for await (const number of client.serverStream("demo.v1.Demo/Count", { count: 9 }))
        appendFileSync("/dev/full", JSON.stringify(number));
    },
  ),
});

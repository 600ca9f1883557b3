import { once } from "node:events";
import { appendFileSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import { bearer } from "@parley/core";
import { certificates } from "@parley/test-certificates";
import { type Fault, holdsToFaultTable } from "../../../core/test/fault-table.ts";
import { startServer, type TestBroker } from "../../test/brokers.ts";
import { type Script, startFakeBroker } from "../../test/fake-broker.ts";
import { MqttClient } from "./mqtt-client.ts";
import type { MqttClientOptions } from "./options.ts";

type Peer = (peers: AsyncDisposableStack) => Promise<string | URL>;

const broker =
  (start: () => Promise<TestBroker>): Peer =>
  async (peers) =>
    peers.use(await start()).url;

/** One that answers, by a script. */
const scripted = (script: Script): Peer => broker(() => startFakeBroker(script));

const publishing =
  (peer: Peer, options: Partial<MqttClientOptions> = {}, data = "x"): Fault =>
  async (peers) => {
    const url = await peer(peers);
    return (clients) => {
      const client = new MqttClient({ url, reconnect: false, ...options });
      clients.defer(() => client.close({ graceMs: 0 }));
      return client.publish("a", data);
    };
  };

/** Ends each connection when something is published, after these bytes. */
const cutAfter = (...bytes: number[]): Peer => {
  const sockets: Socket[] = [];
  const puback = (): null => {
    for (const socket of sockets) socket.end(Buffer.from(bytes));
    return null;
  };
  return scripted({ connected: (socket) => sockets.push(socket), puback });
};

holdsToFaultTable("MqttClient", {
  refused: publishing(async () => {
    await using gone = await startServer(() => {});
    return gone.url;
  }),
  "wrong certificate": publishing(async (peers) => {
    const { serverCert: cert, serverKey: key } = certificates;
    const server = createSecureServer({ cert, key }).on("tlsClientError", () => {});
    await once(server.listen(0, "127.0.0.1"), "listening");
    peers.defer(() => void server.close());
    return `mqtts://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address is an object
  }),
  silent: publishing(
    broker(() => startServer((socket) => socket.resume())),
    { connectTimeoutMs: 200 },
  ),
  gone: publishing(cutAfter()),
  "half answer": publishing(cutAfter(0x40, 3, 0)),
  "too many requests": { fault: publishing(scripted({ puback: () => 0x97 })), error: { details: { reason: 0x97 } } },
  "expired token": publishing(scripted({ connect: () => 0x86 }), { credentials: bearer(() => crypto.randomUUID()) }),
  "full pipe": async (peers) => {
    const sockets: Socket[] = [];
    const url = await scripted({ connected: (socket) => sockets.push(socket) })(peers);
    return async (clients) => {
      // Who does not read does not hear of the end either.
      clients.defer(() => sockets.forEach((socket) => void socket.resume()));
      const client = new MqttClient({ url, reconnect: false });
      clients.defer(() => client.close({ graceMs: 0 }));
      await client.connect();
      for (const socket of sockets) socket.pause();
      await client.publish("a", "x".repeat(15_000_000), { timeoutMs: 500 });
    };
  },
  "full disk": async (peers) => {
    // A message to the topic "a".
    const url = await scripted({ afterwards: [0x30, 5, 0, 1, 0x61, 0, 0x78] })(peers);
    return async (clients) => {
      const client = new MqttClient({ url, reconnect: false });
      clients.defer(() => client.close({ graceMs: 0 }));
      for await (const message of await client.subscribe("a")) appendFileSync("/dev/full", message.text());
    };
  },
});

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { Connection, Handler, Listener, Transport } from "@parley/core/transport";
import { grpc } from "@parley/transport-grpc";
import { http } from "@parley/transport-http";
import { mqtt } from "@parley/transport-mqtt";
import { sse } from "@parley/transport-sse";
import { stdio } from "@parley/transport-stdio";
import { ws } from "@parley/transport-ws";
import { mqttBroker } from "../../src/brokers/mqtt.ts";
import { addressAt, placeBroker } from "../../src/brokers/place.ts";
import type { Subject } from "../../src/subject.ts";
import { pipeShim } from "../../src/subjects/child-program.ts";

/** Callers speak HTTP; behind that stand relays, each nothing but `listen(connection.call)`, over all other wires to the agent. */
export const subject: Subject = {
  name: "chain",
  transport: chain,
  url: "http://127.0.0.1:0",
  tapping: "http",
  shared: true,
};

/** What ends a hop. */
type Close = Listener["close"];
/** Puts one wire before a handler: gives the call of a connection over it. */
type Hop = (handler: Handler) => Promise<{ readonly connection: Connection; readonly close: Close }>;

function chain(): Transport {
  const front = http();
  const hops: readonly Hop[] = [overMqtt, over(grpc(), "grpc:"), over(ws(), "ws:"), over(sse(), "sse:"), overStdio];
  return {
    ...front,
    connect: (url, options) => front.connect(url, options),
    async listen(url, handler, options): Promise<Listener> {
      const closes: Close[] = [];
      let behind: Handler = handler;
      for (const hop of hops.toReversed()) {
        const { connection, close } = await hop(behind);
        behind = connection.call;
        closes.unshift(close);
      }
      const listener = await front.listen(url, behind, options);
      const close: Close = async (how) => {
        for (const end of [listener.close.bind(listener), ...closes]) await end(how);
      };
      return { url: listener.url, stats: () => listener.stats(), close, [Symbol.asyncDispose]: () => close() };
    },
  };
}

function over(transport: Transport, scheme: string, host = "127.0.0.1:0"): Hop {
  return async (handler) => {
    const listener = await transport.listen(new URL(`${scheme}//${host}`), handler, {});
    const connection = await transport.connect(listener.url, {});
    return { connection, close: closing(connection, (how) => listener.close(how)) };
  };
}

async function overMqtt(handler: Handler): ReturnType<Hop> {
  const place = await placeBroker(mqttBroker, undefined);
  const { host } = addressAt(new URL("mqtt://127.0.0.1:1883"), place.url);
  const hop = await over(mqtt(), "mqtt:", `${host}/chain/${crypto.randomUUID()}`)(handler);
  return {
    connection: hop.connection,
    close: async (how) => {
      await hop.close(how);
      await place.release();
    },
  };
}

/** The child is a pipe shim to a port of this process, where each connection is the stdin and stdout of a listener. */
async function overStdio(handler: Handler): ReturnType<Hop> {
  const listeners: Promise<Listener>[] = [];
  const server = createServer((socket) => {
    listeners.push(stdio({ input: socket, output: socket }).listen(new URL("stdio:"), handler, {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server's address is an object
  const { command, args } = pipeShim(new URL(`tcp://127.0.0.1:${port}`));
  const connection = await stdio({ command: [command, ...args] }).connect(new URL("stdio:"), {});
  const close = closing(connection, async (how) => {
    for (const listener of listeners) await (await listener).close(how);
    server.close();
  });
  return { connection, close };
}

function closing(connection: Connection, behind: Close): Close {
  return async (how) => {
    await connection.close(how);
    await behind(how);
  };
}

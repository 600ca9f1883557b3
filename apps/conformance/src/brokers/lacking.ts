import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { LackingBroker } from "./broker.ts";

/** CONNACK (MQTT 5, 3.2) with properties, and that of MQTT 3.1.1. */
const answers: readonly { readonly feature: RegExp; readonly to: (version: number) => Buffer }[] = [
  // Wildcard Subscription Available: no (3.2.2.3.10).
  { feature: /wildcard/i, to: () => Buffer.from([0x20, 5, 0, 0, 2, 0x28, 0]) },
  // Unsupported protocol version, said to either.
  {
    feature: /version/i,
    to: (version) => Buffer.from(version === 5 ? [0x20, 3, 0, 0x84, 0] : [0x20, 2, 0, 1]),
  },
];

/** Doors that answer as MQTT brokers without a feature that calls need. */
export async function lackingBrokers(): Promise<readonly LackingBroker[]> {
  return Promise.all(
    answers.map(async ({ feature, to }) => {
      let connects = 0;
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", (connect: Buffer) => {
          connects++;
          // After the fixed header of two bytes and the name of the protocol (3.1.2).
          socket.write(to(connect[2 + 2 + 4] ?? 0));
        });
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo; // a TCP server's address is an object
      return {
        url: new URL(`mqtt://127.0.0.1:${port}`),
        feature,
        met: () => connects > 0,
        close: () => new Promise<void>((resolve) => server.close(() => resolve())),
      };
    }),
  );
}

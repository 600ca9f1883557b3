import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { headOf } from "../tap/mqtt-packet.ts";

const DISCONNECT = 14;

/** A way to a broker on which a client's goodbye is lost, so that it seems to have vanished. */
export interface DeafRelay {
  readonly port: number;
  /** Resolves when the broker has seen the ends of all who have left. */
  close(): Promise<void>;
}

/** Opens one. */
export async function deafRelay({ hostname, port }: URL): Promise<DeafRelay> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ host: hostname, port: Number(port), noDelay: true });
    open.add(broker);
    broker.on("close", () => open.delete(broker)).on("data", (chunk: Buffer) => client.write(chunk));
    let rest: Buffer = Buffer.alloc(0);
    client.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let head = headOf(rest); head && head.end <= rest.length; head = headOf(rest)) {
        if (head.type === DISCONNECT) client.end();
        else broker.write(rest.subarray(0, head.end));
        rest = rest.subarray(head.end);
      }
    });
    client.on("close", () => broker.destroy());
    for (const one of [client, broker]) one.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's address is an object
    async close() {
      server.close();
      await Promise.all([...open].map((broker) => once(broker, "close")));
    },
  };
}

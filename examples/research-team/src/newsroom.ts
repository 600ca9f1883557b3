import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { agent, serve } from "@parley/core";
import { Aedes } from "aedes";
import { news } from "./contracts.ts";
import { wires } from "./wires.ts";

/** Where the news goes: an MQTT broker within this process, and the agent that callers of the topic find there. */
export interface Newsroom extends AsyncDisposable {
  readonly url: string;
}

export async function openNewsroom(): Promise<Newsroom> {
  const aedes = await Aedes.createBroker();
  // A broker that waits to fill packets would make each message wait.
  const broker = createServer({ noDelay: true }, aedes.handle).listen(0, "127.0.0.1");
  await once(broker, "listening");
  const { port } = broker.address() as AddressInfo; // a TCP server's address is an object
  const url = `mqtt://127.0.0.1:${port}/research`;
  const server = await serve(agent(news, {}), url, { transports: await wires("mqtt") });
  return {
    url,
    async [Symbol.asyncDispose]() {
      await server.close();
      aedes.close();
      broker.close();
    },
  };
}

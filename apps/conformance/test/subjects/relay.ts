import type { Connection, Listener, Transport } from "@parley/core/transport";
import { http } from "@parley/transport-http";
import { ws } from "@parley/transport-ws";
import type { Subject } from "../../src/subject.ts";

/** Callers speak HTTP; a relay, which knows nothing but `listen(connection.call)`, speaks WebSocket to the agent behind it. */
export const subject: Subject = {
  name: "http-to-ws",
  transport: () => relay(http(), ws()),
  url: "http://127.0.0.1:0",
  tapping: "http",
  shared: true,
};

function relay(front: Transport, back: Transport): Transport {
  return {
    ...front,
    connect: (url, options) => front.connect(url, options),
    async listen(url, handler, options): Promise<Listener> {
      const behind = await back.listen(new URL("ws://127.0.0.1:0"), handler, options);
      const connection: Connection = await back.connect(behind.url);
      const listener = await front.listen(url, connection.call, options);
      const close: Listener["close"] = async (how) => {
        await listener.close(how);
        await connection.close(how);
        await behind.close(how);
      };
      return { url: listener.url, stats: () => listener.stats(), close, [Symbol.asyncDispose]: () => close() };
    },
  };
}

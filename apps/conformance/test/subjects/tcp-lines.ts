import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import {
  type ChannelEvents,
  channelLimits,
  channelListener,
  dialChannel,
  memory,
  type OpenChannel,
  type Transport,
  TransportError,
} from "@parley/core/transport";
import type { Subject } from "../../src/subject.ts";

/** A transport that somebody might write in an afternoon: one event a line, over TCP. */
function tcpLines(): Transport {
  const channel = { transport: "tcp-lines", limits: channelLimits };
  return {
    name: "tcp-lines",
    schemes: ["lines"],
    manifest: memory().manifest,
    async connect(url, { connectTimeoutMs = 10_000, ...options } = {}) {
      const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
      try {
        await once(socket, "connect");
      } catch (cause) {
        throw new TransportError("unavailable", `nobody listens at ${url.host}`, { outcome: "not-sent", cause });
      }
      return dialChannel(lines(socket), { ...channel, ...options, helloTimeoutMs: connectTimeoutMs });
    },
    async listen(url, handler, options = {}) {
      const server = createServer({ noDelay: true }, (socket) => {
        listener.accept(lines(socket), { address: `${socket.remoteAddress}:${socket.remotePort}` });
      });
      server.listen(Number(url.port), url.hostname);
      await once(server, "listening");
      const bound = new URL(url);
      bound.port = String((server.address() as AddressInfo).port); // a TCP server's address is an object
      const listener = channelListener({
        url: bound,
        channel: { ...channel, ...options, handler },
        stop: () => new Promise((resolve) => server.close(() => resolve())),
      });
      return listener;
    },
  };
}

function lines(socket: Socket): OpenChannel {
  return (events: ChannelEvents) => {
    let rest = "";
    let failure: Error | undefined;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      const [first = "", ...others] = text.split("\n");
      rest += first;
      for (const next of others) {
        events.frame(rest);
        rest = next;
      }
      if (rest.length > channelLimits.maxMessageBytes) socket.destroy(new Error("the line is too long"));
    });
    socket.on("drain", () => events.drain());
    socket.on("end", () => socket.end());
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", () => events.closed(failure));
    return {
      write: (frames) => !socket.writable || socket.write(`${frames.join("\n")}\n`),
      close: (reason) => (reason ? socket.destroySoon() : socket.end()),
    };
  };
}

export const subject: Subject = {
  name: "tcp-lines",
  transport: () => tcpLines(),
  url: "lines://127.0.0.1:0",
  tapping: "lines",
};

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
import type { Subject, Tuning } from "../subject.ts";

/** Makes frames of bytes. What it throws ends the connection. */
export interface LineReader {
  chunk(bytes: Buffer): void;
  /** Nothing more comes. */
  end?(): void;
}

/** Makes a reader for one connection. */
export type ReadLines = (frame: (text: string) => void, maxMessageBytes: number) => LineReader;

/** The reference over TCP, for what only a wire of bytes can get wrong: one event a line. */
export function tcpLines({ heartbeatMs, limits = channelLimits }: Tuning = {}, read: ReadLines = readLines): Transport {
  const channel = { transport: "tcp-lines", heartbeatMs, limits };
  const open = (socket: Socket): OpenChannel => lines(socket, (frame) => read(frame, limits.maxMessageBytes));
  return {
    name: "tcp-lines",
    schemes: ["lines"],
    manifest: { ...memory({ limits }).manifest, resume: "none" },
    async connect(url, { connectTimeoutMs = 10_000, ...options } = {}) {
      const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
      try {
        await once(socket, "connect");
      } catch (cause) {
        throw new TransportError("unavailable", `nobody listens at ${url.host}`, { outcome: "not-sent", cause });
      }
      return dialChannel(open(socket), { ...channel, ...options, helloTimeoutMs: connectTimeoutMs });
    },
    async listen(url, handler, options = {}) {
      const server = createServer({ noDelay: true }, (socket) => {
        listener.accept(open(socket), { address: `${socket.remoteAddress}:${socket.remotePort}` });
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

/** Lines of UTF-8, none longer than a message may be. */
export const readLines: ReadLines = (frame, maxMessageBytes) => {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let parts: Buffer[] = [];
  let held = 0;
  const hold = (part: Buffer): void => {
    held += part.length;
    if (held > maxMessageBytes) throw new Error("the line is too long");
    parts.push(part);
  };
  return {
    chunk(bytes) {
      let start = 0;
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
        hold(bytes.subarray(start, end));
        const line = utf8.decode(Buffer.concat(parts, held));
        parts = [];
        held = 0;
        start = end + 1;
        frame(line);
      }
      hold(bytes.subarray(start));
    },
  };
};

function lines(socket: Socket, read: (frame: (text: string) => void) => LineReader): OpenChannel {
  return (events: ChannelEvents) => {
    const reader = read((text) => events.frame(text));
    let failure: Error | undefined;
    socket.on("data", (bytes: Buffer) => {
      try {
        reader.chunk(bytes);
      } catch (error) {
        socket.destroy(error as Error); // what readers throw
      }
    });
    socket.on("drain", () => events.drain());
    socket.on("end", () => {
      reader.end?.();
      socket.end();
    });
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

/** {@link tcpLines}, as it is tested. */
export const tcpReference: Subject = {
  name: "tcp-lines",
  transport: (tuning) => tcpLines(tuning),
  url: "lines://127.0.0.1:0",
  tapping: "lines",
};

import { createServer, connect as openSocket, type Socket } from "node:net";
import { listenAt, requireExposed, socketPeer } from "@parley/core/node";
import {
  type Channel,
  type ChannelOptions,
  cancelled,
  channelLimits,
  channelListener,
  dialChannel,
  type Limits,
  type Manifest,
  type OpenChannel,
  ParleyError,
  type Transport,
  TransportError,
} from "@parley/core/transport";

const DEFAULT_PORT = 7070;

/** The protocol of `tcp:` URLs: one CloudEvent in JSON a line, over a plain TCP socket. */
export function tcp({
  heartbeatMs,
  limits = channelLimits,
}: Pick<ChannelOptions, "heartbeatMs" | "limits"> = {}): Transport {
  const channel = { transport: "tcp", heartbeatMs, limits };
  return {
    name: "tcp",
    schemes: ["tcp"],
    manifest: manifestWith(limits),
    async connect(url, { connectTimeoutMs = 10_000, signal, ...options } = {}) {
      const start = performance.now();
      const socket = await dial(url, connectTimeoutMs, signal);
      const helloTimeoutMs = Math.max(1, connectTimeoutMs - (performance.now() - start));
      return dialChannel(lines(socket, limits), { ...channel, ...options, address: url.host, helloTimeoutMs, signal });
    },
    async listen(url, handler, options = {}) {
      requireExposed(url, false, "tcp");
      const server = createServer({ noDelay: true, allowHalfOpen: true });
      server.on("connection", (socket) => listener.accept(lines(socket, limits), socketPeer(socket)));
      const bound = await listenAt(server, url, DEFAULT_PORT);
      const listener = channelListener({
        url: bound,
        channel: { ...channel, ...options, handler },
        stop: () => new Promise((resolve) => server.close(() => resolve())),
      });
      return listener;
    },
  };
}

/** What this wire promises. Every key is stated, and the suite tries each. */
const manifestWith = (limits: Limits): Manifest => ({
  kinds: {
    notify: "native",
    request: "native",
    "server-stream": "native",
    "client-stream": "native",
    "bidi-stream": "native",
    publish: "emulated",
    subscribe: "emulated",
  },
  delivery: "at-most-once",
  cancel: "peer",
  backpressure: "stream",
  ordering: "connection",
  resume: "none",
  duplicates: false,
  gaps: false,
  serverInitiated: true,
  wildcards: true,
  lateSubscriber: "nothing",
  limits,
  broker: null,
});

/** Opens a socket, within the time and until the signal says otherwise. */
function dial(url: URL, timeoutMs: number, signal: AbortSignal | undefined): Promise<Socket> {
  const { hostname: host, port } = url;
  return new Promise((resolve, reject) => {
    const socket = openSocket({ host, port: Number(port || DEFAULT_PORT), noDelay: true, allowHalfOpen: true });
    const settle = (error?: ParleyError): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      if (!error) return resolve(socket);
      socket.destroy();
      reject(error);
    };
    const fail = (code: "unavailable" | "deadline_exceeded", message: string, cause?: unknown): void =>
      settle(new TransportError(code, message, { outcome: "not-sent", cause }));
    const abort = (): void => settle(cancelled(signal?.reason, "not-sent"));
    const timer = setTimeout(() => fail("deadline_exceeded", `${url.host} took over ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener("abort", abort);
    socket.on("error", (cause) => fail("unavailable", `nobody answers at ${url.host}: ${cause.message}`, cause));
    socket.on("connect", () => settle());
    if (signal?.aborted) abort();
  });
}

/** Ties a socket to calls: what arrives is cut into lines, and a batch of frames leaves in one write. */
function lines(socket: Socket, { maxMessageBytes }: Limits): OpenChannel {
  return (events) => {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let parts: Buffer[] = [];
    let held = 0;
    let failure: unknown;

    const hold = (part: Buffer): void => {
      held += part.length;
      if (held > maxMessageBytes)
        throw new ParleyError("resource_exhausted", `a line is over ${maxMessageBytes} bytes`);
      parts.push(part);
    };
    socket.on("data", (chunk: Buffer) => {
      try {
        let start = 0;
        for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
          hold(chunk.subarray(start, end));
          const line = utf8.decode(Buffer.concat(parts, held));
          parts = [];
          held = 0;
          start = end + 1;
          events.frame(line);
        }
        hold(chunk.subarray(start));
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on("drain", () => events.drain());
    socket.on("end", () => socket.end());
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", () => events.closed(failure));

    const channel: Channel = {
      write: (frames) => !socket.writable || socket.write(`${frames.join("\n")}\n`),
      close(reason) {
        if (reason) socket.destroySoon();
        else socket.end();
        // A peer that neither reads nor closes holds nobody up.
        socket.setTimeout(1_000, () => socket.destroy());
      },
    };
    return channel;
  };
}

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type ChannelEvents,
  type Connection,
  channelLimits,
  dialChannel,
  type Manifest,
  type OpenChannel,
  ParleyError,
  type Transport,
  TransportError,
} from "@parley/core/transport";
import { ForeignProcess } from "../serving/foreign-process.ts";
import type { ForeignProgram, Subject, SubjectOptions } from "../subject.ts";

/** Time a program has to start and to introduce itself, ms. */
const START_MS = 10_000;

/**
 * The subject that a program in another language is: the suite calls it, an event a line, over its stdin and stdout.
 * @throws Error when it does not introduce itself.
 */
export async function foreignSubject(program: ForeignProgram): Promise<Subject> {
  const process = await ForeignProcess.start(program, { event: () => {}, ended: () => {} });
  try {
    const { name, manifest } = await process.introduction(START_MS);
    return {
      name,
      transport: (options) => lineTransport(name, manifest, options),
      url: "tcp://127.0.0.1:0",
      tapping: "lines",
      serving: "child",
      foreign: program,
    };
  } finally {
    process.signal("SIGKILL");
    await process.gone();
  }
}

/** The calling side: an event a line over TCP, which the suite carries to the program's stdin and from its stdout. */
function lineTransport(name: string, manifest: Manifest, { heartbeatMs, limits }: SubjectOptions): Transport {
  return {
    name,
    schemes: ["tcp"],
    manifest,
    async connect(url, { connectTimeoutMs = START_MS, ...options } = {}) {
      const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
      try {
        await once(socket, "connect");
      } catch (cause) {
        throw new TransportError("unavailable", `nobody listens at ${url.host}`, { outcome: "not-sent", cause });
      }
      // The manifest speaks of the wire: its windows are those of both sides.
      const own = { transport: name, limits: limits ?? manifest.limits, heartbeatMs };
      return refusing(
        await dialChannel(lines(socket), { ...own, ...options, helloTimeoutMs: connectTimeoutMs }),
        manifest,
      );
    },
    listen: async () => {
      throw new ParleyError("unimplemented", "the program itself is the listening side");
    },
  };
}

/** Does not send what the program declares that it cannot take. */
function refusing(connection: Connection, { kinds }: Manifest): Connection {
  return {
    call: (call) =>
      kinds[call.kind] === "none"
        ? Promise.reject(
            new ParleyError("unimplemented", `the program takes no ${call.kind} calls`, { outcome: "not-sent" }),
          )
        : connection.call(call),
    get hello() {
      return connection.hello;
    },
    get state() {
      return connection.state;
    },
    closed: connection.closed,
    stats: () => connection.stats(),
    ping: () => connection.ping(),
    close: (options) => connection.close(options),
    [Symbol.asyncDispose]: () => connection.close(),
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

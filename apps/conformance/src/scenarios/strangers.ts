import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";

const page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<h1>Hello</h1>\n";

/** What is said in place of a handshake; nothing: the door is closed at once. */
const greetings: Readonly<Record<string, Buffer | undefined>> = {
  "a web page": Buffer.from(page),
  "an SSH server": Buffer.from("SSH-2.0-OpenSSH_9.2p1\r\n"),
  // An alert record of TLS 1.2, handshake_failure (RFC 5246, 7.2): what a TLS server answers to plain text.
  "a TLS server": Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]),
  noise: undefined,
  "a closed door": Buffer.alloc(0),
};

/** Somebody else behind an address. */
export interface Stranger {
  readonly name: string;
  /** Dials it. */
  dial(): Promise<Connection>;
  /** Whether it was reached. */
  met(): boolean;
}

/** Each of the strangers in turn, there as long as the loop is at it. */
export async function* strangers(env: Environment): AsyncGenerator<Stranger, void, undefined> {
  for (const [name, fixed] of Object.entries(greetings)) {
    const greeting = fixed ?? Buffer.from(env.random.bytes(512));
    yield* env.tapping === "in-process" ? strangerFrames(env, name, greeting) : strangerServer(env, name, greeting);
  }
}

async function* strangerServer(
  env: Environment,
  name: string,
  greeting: Buffer,
): AsyncGenerator<Stranger, void, undefined> {
  let met = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    met++;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    if (greeting.length === 0) socket.destroy();
    else socket.once("data", () => socket.end(greeting));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(await env.url());
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`; // a TCP server's address is an object
  try {
    yield { name, dial: () => env.dial({ url }), met: () => met > 0 };
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  }
}

/** Within one process: the listener's first frame becomes the greeting. */
async function* strangerFrames(
  env: Environment,
  name: string,
  greeting: Buffer,
): AsyncGenerator<Stranger, void, undefined> {
  let met = false;
  env.tap.rewrite((_frame, from) => {
    if (from === "dialler") return undefined;
    met = true;
    return greeting.length === 0 ? "cut" : [greeting.toString("latin1")];
  });
  yield { name, dial: () => env.dial(), met: () => met };
  env.tap.rewrite(undefined);
}

/** Noise of all sorts at our own listener. Resolves when it was sent and the listener has closed each door, or T is over. */
export async function garbageAtListener(env: Environment): Promise<void> {
  if (env.tapping === "in-process") return;
  const { hostname, port } = await env.url();
  for (const greeting of Object.values(greetings)) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.end(greeting ?? Buffer.from(env.random.bytes(512)));
    socket.resume();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    if (!socket.closed) await env.within("the listener to let noise go", closed, 8 * env.t);
  }
}

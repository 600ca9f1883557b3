import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Environment } from "../environment.ts";

/** What may be taken beyond the limit: by kernels, and by a server that reads on so that its answer is not lost. */
const BEYOND_BYTES = 32 * 1024 * 1024;

/** A message that does not end: the connection is cut when it is over the limit, and others are served meanwhile. */
export async function endlessMessage(env: Environment, url: URL, served: () => Promise<void>): Promise<void> {
  const { hostname, port, host, pathname } = url;
  const socket = await open(hostname, Number(port));
  const closed = heard(socket, "close");
  const chunk = Buffer.alloc(65_536, "a");
  if (env.tapping === "http") {
    socket.write(
      `POST /conformance.nothing.v1 HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/cloudevents+json\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
  } else if (env.tapping === "websocket") {
    await upgrade(env, socket, host, pathname);
  }
  const limit = env.manifest.limits.maxMessageBytes + BEYOND_BYTES;
  let sent = 0;
  for (let first = true; !socket.destroyed && sent <= limit; first = false) {
    const full = !socket.write(framed(env, chunk, first));
    sent += chunk.length;
    if (full) await env.within("room to send, or the end", Promise.race([heard(socket, "drain"), closed]));
    if (sent % (16 * chunk.length) === 0) await served();
  }
  env.wire.ok(`the end of a message without end before ${limit} bytes`, sent <= limit, sent);
  socket.destroy();
  await served();
}

/** A peer that sends a byte a second is let go, and holds nobody up. */
export async function trickle(env: Environment, url: URL, served: () => Promise<void>): Promise<void> {
  if (env.profile !== "full") return;
  const { hostname, port } = url;
  const socket = await open(hostname, Number(port));
  const closed = heard(socket, "close");
  const start = performance.now();
  const timer = setInterval(() => socket.write("P"), 1_000);
  try {
    await env.within("the end of a connection that trickles", closed, 30_000);
    env.caller.ok("an end by a time limit", performance.now() - start > 500);
  } finally {
    clearInterval(timer);
    socket.destroy();
  }
  await served();
}

function framed(env: Environment, chunk: Buffer, first: boolean): Buffer {
  if (env.tapping === "http") {
    return Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]);
  }
  // It must begin as a message: what else stands in a line may be noise, which is skipped to the end of the line.
  if (env.tapping !== "websocket") return first ? Buffer.concat([Buffer.from("{"), chunk]) : chunk;
  // Fragments, none of them the last (RFC 6455, 5.4), masked with zeros.
  const head = Buffer.from([first ? 0x01 : 0x00, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeBigUInt64BE(BigInt(chunk.length), 2);
  return Buffer.concat([head, chunk]);
}

async function upgrade(env: Environment, socket: Socket, host: string, pathname: string): Promise<void> {
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${Buffer.from(env.random.bytes(16)).toString("base64")}\r\nsec-websocket-protocol: cloudevents.json\r\n\r\n`,
  );
  await env.within("the answer to the upgrade", once(socket, "data"));
  socket.resume();
}

/** Unlike `once`, an error is nothing special. */
function heard(socket: Socket, event: "close" | "drain"): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve));
}

async function open(hostname: string, port: number): Promise<Socket> {
  const socket = connect(port, hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.resume();
  return socket;
}

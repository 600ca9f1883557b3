import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** A TCP port of this machine behind which a program is started for each connection; its stdin and stdout are the connection. */
export interface PipeServer {
  /** `tcp://127.0.0.1:40123`. */
  readonly url: URL;
  /** Takes no more connections; those there are go on. */
  close(): Promise<void>;
}

/** Opens one. `start` is asked for a program for each connection, its stdin and stdout being pipes. */
export async function pipeServer(start: () => Promise<ChildProcess>): Promise<PipeServer> {
  const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect: true };
  const server: Server = createServer(options, (socket) => {
    start().then(
      (child) => join(socket, child),
      (error: Error) => socket.destroy(error),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number }; // a TCP server's address is an object
  return {
    url: new URL(`tcp://127.0.0.1:${port}`),
    // Node's own `close` waits for the connections as well.
    close: async () => void server.close(),
  };
}

/** Joins a connection with a program. A connection that is reset is the end of its input. */
function join(socket: Socket, child: ChildProcess): void {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new TypeError("the program was started without pipes");
  stdin.on("error", () => {});
  stdout.on("error", () => socket.destroy());
  socket.on("error", () => {});
  // Whoever started it is gone: nobody writes to it any more, and nobody reads.
  socket.on("close", () => {
    stdin.destroy();
    stdout.destroy();
  });
  // What it said is written out; what it can no longer read is not waited for.
  child.on("close", () => socket.destroySoon());
  socket.pipe(stdin);
  stdout.pipe(socket);
}

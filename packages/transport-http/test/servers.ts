import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { afterEach } from "vitest";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** Runs when the test is over, last first. */
export function afterTest(close: () => unknown): void {
  cleanUp.push(close);
}

/** A server of `node:http`, and what it was asked. */
export interface WebServer {
  /** Without a slash at its end. */
  readonly url: string;
  readonly server: Server;
  readonly requests: readonly Asked[];
}

/** A request as the server saw it. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers requests whose bodies have been read. */
export type Answering = (request: Asked, response: ServerResponse, number: number) => unknown;

/** Starts a server; `answer` gets each request with its body. */
export async function web(answer: Answering): Promise<WebServer> {
  const requests: Asked[] = [];
  const { url, server } = await serve(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const asked = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
    requests.push(asked);
    await answer(asked, response, requests.length);
  });
  return { url, server, requests };
}

/** Starts a server whose listener gets requests as they come. */
export async function serve(listener: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(listener);
  return { url: await listen(server), server };
}

/** Listens on a free port of the loopback address, until the test is over. */
export async function listen(server: Server, scheme = "http"): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server's address is an object
}

/** Something on a port that need not speak HTTP. */
export async function tcp(accept: (socket: Socket) => void): Promise<{ readonly url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  afterTest(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }; // as above
}

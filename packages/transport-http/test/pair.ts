import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { type Socket, connect as tcpConnect } from "node:net";
import { type Call, type CallKind, type Handler, HELLO, type Reply, reply } from "@parley/core/transport";
import { type Pair, pairOf } from "../../core/test/calls.ts";
import { type HttpOptions, http } from "../src/index.ts";

export { call, collect, failure, item, items, newCall, type Pair } from "../../core/test/calls.ts";

/** Listens on a free port, and connects to it. */
export async function pair(
  handler: Handler,
  options: HttpOptions = {},
  clientOptions: HttpOptions = {},
): Promise<Pair> {
  const listener = await http(options).listen(new URL("http://127.0.0.1:0"), handler);
  return pairOf(listener, await http(clientOptions).connect(listener.url));
}

/** A handler that answers requests with their data, whatever they are called, and announces `operations`. */
export function echo(operations: Readonly<Record<string, CallKind>> = {}): Handler {
  return (one) =>
    one.message.type === HELLO
      ? described(one, operations)
      : { message: reply(one.message, "/agent", one.message.data) };
}

/** Answers a handshake. */
export function described({ message }: Call, operations: Readonly<Record<string, CallKind>>): Reply {
  const announced = Object.entries(operations).map(([name, kind]) => [name, { kind, versions: [1] }] as const);
  return { message: reply(message, "/agent", { name: "test", operations: Object.fromEntries(announced) }) };
}

/** A request that any HTTP client could send. */
export interface PlainRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

/** What came back. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request as somebody without Parley. */
export function send(
  url: URL,
  { method = "POST", path = "/", headers = {}, body }: PlainRequest,
): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port: url.port, method, path, headers, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** A bare socket to the server, and all that arrives on it. */
export interface RawSocket {
  readonly socket: Socket;
  /** Resolves with everything that came, when the server has closed. */
  readonly closed: Promise<string>;
  /** Resolves when what has come contains the text. */
  until(text: string): Promise<string>;
}

/** Opens a bare socket. */
export async function rawSocket(url: URL): Promise<RawSocket> {
  const socket = tcpConnect({ host: "127.0.0.1", port: Number(url.port) });
  let all = "";
  socket.setEncoding("utf8");
  const waiting = new Set<() => void>();
  socket.on("data", (chunk: string) => {
    all += chunk;
    for (const look of waiting) look();
  });
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.on("close", () => resolve(all)));
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return {
    socket,
    closed,
    until: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!all.includes(text)) return;
          waiting.delete(look);
          resolve(all);
        };
        waiting.add(look);
        look();
      }),
  };
}

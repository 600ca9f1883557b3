import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from "node:http";
import type { AddressInfo } from "node:net";
import {
  answererItem,
  type Call,
  type CallKind,
  createEnvelope,
  type Envelope,
  type Handler,
  HELLO,
  type Reply,
  reply,
} from "@parley/core/transport";
import { type CallParts, call, type Pair, pairOf } from "../../core/test/calls.ts";
import { type SseOptions, sse } from "../src/index.ts";

export { collect, failure as rejection } from "../../core/test/calls.ts";

/** Listens on a free port and connects to it, through `via` if there is something in between. */
export async function wire(handler: Handler, options: SseOptions = {}, via?: (url: URL) => URL): Promise<Pair> {
  const listener = await sse(options).listen(new URL("sse://127.0.0.1:0"), handler);
  return pairOf(listener, await sse(options).connect(via?.(listener.url) ?? listener.url));
}

/** Makes a call. */
export function make(
  pair: Pick<Pair, "connection">,
  kind: CallKind,
  { subject, ...parts }: Omit<CallParts, "type" | "attributes"> & { readonly subject?: string } = {},
): Promise<Reply> {
  return call(pair, kind, { ...parts, type: "test.echo.v1", ...(subject && { attributes: { subject } }) });
}

/** Puts an answer to the handshake before a handler. */
export function announcing(operations: Readonly<Record<string, CallKind>>, handler: Handler): Handler {
  const announced = Object.entries(operations).map(([name, kind]) => [name, { kind, versions: [1] }] as const);
  const data = { name: "test", operations: Object.fromEntries(announced) };
  return (call) => (call.message.type === HELLO ? { message: reply(call.message, "/agent", data) } : handler(call));
}

/** Items of an answer. */
export async function* answers(
  { message }: Call,
  values: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<Envelope> {
  let seq = 0;
  for await (const data of values) yield answererItem(message, "/agent", ++seq, data);
}

/** Items of a caller. */
export async function* items(values: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<Envelope> {
  for await (const data of values) yield createEnvelope({ kind: "item", type: "test.echo.v1", source: "/test", data });
}

/** A stranger's request, and what it has got so far. */
export interface Reading {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What has come so far. */
  readonly text: string;
  /** Resolves when what has come contains the text. */
  until(text: string): Promise<string>;
  /** Resolves when the answer has ended, or was cut. */
  readonly closed: Promise<string>;
  leave(): void;
}

/** A stranger's request. */
export interface StrangerRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request as a stranger would, and reads the answer as it comes. */
export function stranger(
  url: URL,
  { method = "POST", path = "/", headers = {}, body }: StrangerRequest,
): Promise<Reading> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port: url.port, method, path, headers, agent: false },
      (response) => {
        let text = "";
        const looks = new Set<() => void>();
        const closed = Promise.withResolvers<string>();
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          for (const look of looks) look();
        });
        response.on("error", () => {});
        response.on("close", () => closed.resolve(text));
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          get text() {
            return text;
          },
          closed: closed.promise,
          leave: () => request.destroy(),
          until: (wanted) =>
            new Promise((found) => {
              const look = (): void => {
                if (!text.includes(wanted)) return;
                looks.delete(look);
                found(text);
              };
              looks.add(look);
              look();
            }),
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** The events of an event stream: each a record of its fields. */
export function eventsOf(text: string): readonly Readonly<Record<string, string>>[] {
  return text
    .split("\n\n")
    .filter((block) => block.includes("data:"))
    .map((block) => Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s, 2))));
}

/** A web server of somebody's own. */
export interface WebServer extends Disposable {
  readonly server: Server;
  readonly port: number;
}

/** Opens one. */
export async function webServer(listener?: RequestListener): Promise<WebServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

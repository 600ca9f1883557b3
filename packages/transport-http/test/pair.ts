import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { type Socket, connect as tcpConnect } from "node:net";
import {
  answererItem,
  type Call,
  type CallKind,
  type Connection,
  createCall,
  createEnvelope,
  type Envelope,
  type Handler,
  HELLO,
  type Listener,
  type OwnedCall,
  type Reply,
  reply,
} from "@parley/core/transport";
import { type HttpOptions, http } from "../src/index.ts";

/** A listener, and a connection to it. */
export interface Pair extends AsyncDisposable {
  readonly listener: Listener;
  readonly connection: Connection;
  readonly url: URL;
}

/** Listens on a free port, and connects to it. */
export async function pair(
  handler: Handler,
  options: HttpOptions = {},
  clientOptions: HttpOptions = {},
): Promise<Pair> {
  const listener = await http(options).listen(new URL("http://127.0.0.1:0"), handler);
  const connection = await http(clientOptions).connect(listener.url);
  return {
    listener,
    connection,
    url: listener.url,
    async [Symbol.asyncDispose]() {
      await connection.close({ graceMs: 0 });
      await listener.close({ graceMs: 0 });
    },
  };
}

/** What goes into a call of a test. */
export interface CallParts {
  readonly type?: string;
  readonly data?: unknown;
  readonly input?: AsyncIterable<Envelope>;
  readonly timeoutMs?: number;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** Makes a call that is not sent yet. */
export function newCall(kind: CallKind, parts: CallParts = {}): OwnedCall {
  const { type = "text.echo.v1", data, input, timeoutMs, attributes } = parts;
  const message = createEnvelope({ kind, type, source: "/test", data, ...attributes });
  return createCall({
    kind,
    message,
    input,
    deadline: timeoutMs === undefined ? undefined : performance.now() + timeoutMs,
  });
}

/** Makes a call and sends it; it is over when it is answered, but for streams. */
export async function call(
  { connection }: Pick<Pair, "connection">,
  kind: CallKind,
  parts?: CallParts,
): Promise<Reply> {
  const one = newCall(kind, parts);
  const answer = await connection.call(one);
  if (!answer.output) one.settle();
  return answer;
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

/** An item of an answer. */
export function item({ message }: Call, seq: number, data: unknown): Envelope {
  return answererItem(message, "/agent", seq, data);
}

/** Items of an upload. */
export async function* items(...values: readonly unknown[]): AsyncGenerator<Envelope> {
  for (const data of values) yield createEnvelope({ kind: "item", type: "text.echo.v1", source: "/test", data });
}

/** All data of a stream. */
export async function collect(output: AsyncIterable<Envelope> | undefined): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { data } of output ?? []) values.push(data);
  return values;
}

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}`);
    },
    (error: Error & Record<string, unknown>) => error,
  );
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

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
  ParleyError,
  type Reply,
  reply,
} from "@parley/core/transport";
import { type GrpcOptions, grpc } from "../src/index.ts";

/** A listener, and a connection to it. */
export interface Pair extends AsyncDisposable {
  readonly listener: Listener;
  readonly connection: Connection;
  readonly url: URL;
}

/** Where tests listen. */
export const anyPort: URL = new URL("grpc://127.0.0.1:0");

/** Listens on a free port, and connects to it. */
export async function pair(
  handler: Handler,
  options: GrpcOptions = {},
  clientOptions: GrpcOptions = options,
): Promise<Pair> {
  const listener = await grpc(options).listen(anyPort, handler);
  const connection = await grpc(clientOptions).connect(listener.url);
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
  const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  return createCall({ kind, message, input, deadline });
}

/** Makes a call and sends it; it is over when it is answered, but for streams. */
export async function call(connection: Connection, kind: CallKind, parts?: CallParts): Promise<Reply> {
  const one = newCall(kind, parts);
  try {
    const answer = await connection.call(one);
    if (!answer.output) one.settle();
    return answer;
  } catch (error) {
    one.settle();
    throw error;
  }
}

/** Answers every kind with what was sent: unary with the data, streams with the items, or as many numbers as the data says. */
export const echo: Handler = async (one) => {
  const { kind, message, input } = one;
  switch (kind) {
    case "request":
      if (message.type === HELLO) throw new ParleyError("unimplemented", "no agent");
      return { message: reply(message, "/agent", message.data) };
    case "client-stream":
      return { message: reply(message, "/agent", await collect(input)) };
    case "bidi-stream":
      return { output: again(one) };
    case "server-stream":
    case "subscribe":
      return { output: numbers(one, Number(message.data)) };
    default:
      return {};
  }
};

async function* again(one: Call): AsyncGenerator<Envelope> {
  let seq = 0;
  for await (const { data } of one.input ?? []) yield item(one, ++seq, data);
}

/** Items 1 to `count`. */
export async function* numbers(one: Call, count: number): AsyncGenerator<Envelope> {
  for (let n = 1; n <= count; n++) yield item(one, n, n);
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

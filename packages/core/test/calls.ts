import {
  answererItem,
  type Call,
  type CallKind,
  type Connection,
  createCall,
  createEnvelope,
  type Envelope,
  type Listener,
  type OwnedCall,
  type Reply,
} from "@parley/core/transport";

/** A listener, and a connection to it. */
export interface Pair extends AsyncDisposable {
  readonly listener: Listener;
  readonly connection: Connection;
  readonly url: URL;
}

/** Puts both ends of a wire together, to be closed at once. */
export function pairOf(listener: Listener, connection: Connection): Pair {
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
export async function call(
  { connection }: Pick<Pair, "connection">,
  kind: CallKind,
  parts?: CallParts,
): Promise<Reply> {
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

import {
  answerHello,
  type Call,
  type Envelope,
  type Handler,
  HELLO,
  type Hop,
  PING,
  type Reply,
  reply,
} from "../../transport/index.ts";

/** What is answered without asking the handler. */
export interface OwnOperations {
  readonly hop: Hop;
  readonly source: string;
}

/** A stream without items. */
const nothing: AsyncIterableIterator<Envelope, undefined> = {
  [Symbol.asyncIterator]: () => nothing,
  next: () => Promise.resolve({ done: true, value: undefined }),
};

/**
 * Puts the operations of the connection before a handler: the handshake, and the sign of life. As a `bidi-stream`, the latter lets a
 * caller find out whether both directions really flow at the same time.
 */
export function withOwnOperations(handler: Handler, { hop, source }: OwnOperations): Handler {
  return (call) => {
    const { message, kind } = call;
    if (message.type === HELLO && kind === "request") return greet(call, handler, hop, source);
    if (message.type === PING && kind === "request") return { message: reply(message, source) };
    if (message.type === PING && kind === "bidi-stream") return { output: nothing };
    return handler(call);
  };
}

async function greet(call: Call, handler: Handler, hop: Hop, source: string): Promise<Reply> {
  return { message: await answerHello(call, handler, hop, source) };
}

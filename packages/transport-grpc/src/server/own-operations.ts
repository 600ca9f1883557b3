import { answerHello, type Handler, HELLO, type Hop, PING, reply } from "@parley/core/transport";

/** Puts the operations of the connection before a handler: the handshake, and the sign of life. */
export function withOwnOperations(handler: Handler, hop: Hop, source: string): Handler {
  return (call) => {
    const { message, kind } = call;
    if (kind !== "request") return handler(call);
    if (message.type === HELLO) return answerHello(call, handler, hop, source).then((answer) => ({ message: answer }));
    return message.type === PING ? { message: reply(message, source) } : handler(call);
  };
}

import { type Call, type Envelope, type Handler, HELLO, ParleyError, reply } from "@parley/core/transport";
import { collect, item, type Pair, pairOf } from "../../core/test/calls.ts";
import { type GrpcOptions, grpc } from "../src/index.ts";

export { call, collect, failure, item, items, newCall } from "../../core/test/calls.ts";

/** Where tests listen. */
export const anyPort: URL = new URL("grpc://127.0.0.1:0");

/** Listens on a free port, and connects to it. */
export async function pair(
  handler: Handler,
  options: GrpcOptions = {},
  clientOptions: GrpcOptions = options,
): Promise<Pair> {
  const listener = await grpc(options).listen(anyPort, handler);
  return pairOf(listener, await grpc(clientOptions).connect(listener.url));
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

import { agent, connect, contract, type Interceptor, request, serve, serverStream, topic } from "@parley/core";
import type { Transport } from "@parley/core/transport";
import { type CallingSide, type Contender, check } from "../contender.ts";
import { type Payload, payload, type StreamRequest, serialOf } from "../payload.ts";
import { ANSWERER, CALLER, subjectOf } from "./event.ts";
import { listenAddress } from "./listen-address.ts";
import { receive } from "./receive.ts";

/** Parley as users have it: an agent, its contract, and the typed client, with what its calls pass. */
export function typed(transport: Transport, use: readonly Interceptor[] = []): Contender {
  const transports = [transport];
  return {
    async serve(broker) {
      const server = await serve(worker, listenAddress(transport, broker), { transports });
      return { url: server.urls[0]?.href ?? "", close: () => server.close({ graceMs: 0 }) };
    },
    connect: (url) => dial(url, transports, use),
  };
}

/** A Standard Schema that looks at one field: what is measured is Parley, and not a validator. */
function fieldSchema<Value>(field: keyof Value & string): FieldSchema<Value> {
  return {
    "~standard": {
      version: 1,
      vendor: "parley-bench",
      validate: (value) =>
        typeof (value as Partial<Value> | undefined)?.[field] === "number"
          ? { value: value as Value }
          : { issues: [{ message: `${field} is missing` }] },
    },
  };
}

interface FieldSchema<Value> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => { readonly value: Value } | { readonly issues: readonly { readonly message: string }[] };
    readonly types?: { readonly input: Value; readonly output: Value };
  };
}

const payloads = fieldSchema<Payload>("serial");

const bench = contract("bench", {
  echo: request({ input: payloads, output: payloads, idempotent: true }),
  stream: serverStream({ input: fieldSchema<StreamRequest>("items"), item: payloads }),
  status: topic({ path: subjectOf("{topic}"), data: payloads }),
});

const worker = agent(
  bench,
  {
    echo: (data) => data,
    async *stream({ content, items }) {
      for (let serial = 1; serial <= items; serial++) yield payload(content, serial);
    },
  },
  { source: ANSWERER },
);

async function dial(url: string, transports: readonly Transport[], use: readonly Interceptor[]): Promise<CallingSide> {
  const remote = await connect(bench, url, { transports, use, source: CALLER });
  const closing = new AbortController();
  return {
    async request(data) {
      check("the reply's serial", serialOf(await remote.echo(data)), data.serial);
    },
    async stream(asked) {
      let seq = 0;
      for await (const item of remote.stream(asked)) check("the item's serial", serialOf(item), ++seq);
      check("the number of items", seq, asked.items);
    },
    async subscribe(topic, delivered) {
      const subscription = await remote.status.subscribe({ topic });
      receive(subscription, ({ data }) => delivered(serialOf(data)), closing.signal);
    },
    publish(topic, data) {
      return remote.status.publish({ topic }, data);
    },
    async close() {
      closing.abort();
      await remote.close({ graceMs: 0 });
    },
  };
}

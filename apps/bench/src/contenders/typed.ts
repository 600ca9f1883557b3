import { agent, connect, contract, request, serve, serverStream, topic } from "@parley/core";
import type { Transport } from "@parley/core/transport";
import { type CallingSide, type Contender, check } from "../contender.ts";
import { type Payload, payload, type StreamRequest, serialOf } from "../payload.ts";
import { ANSWERER, CALLER, STATUS_TOPIC } from "./event.ts";
import { receive } from "./receive.ts";

/** Parley as users have it: an agent, its contract, and the typed client. */
export function typed(transport: Transport): Contender {
  const transports = [transport];
  return {
    async serve() {
      const server = await serve(worker, `${transport.schemes[0]}://127.0.0.1:0`, { transports });
      return { url: server.urls[0]?.href ?? "", close: () => server.close({ graceMs: 0 }) };
    },
    connect: (url) => dial(url, transports),
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
  echo: request({ input: payloads, output: payloads }),
  stream: serverStream({ input: fieldSchema<StreamRequest>("items"), item: payloads }),
  status: topic({ path: STATUS_TOPIC, data: payloads }),
});

const worker = agent(
  bench,
  {
    echo: (data) => data,
    async *stream({ size, items }) {
      for (let serial = 1; serial <= items; serial++) yield payload(size, serial);
    },
  },
  { source: ANSWERER },
);

async function dial(url: string, transports: readonly Transport[]): Promise<CallingSide> {
  const connectOptions = { transports, source: CALLER };
  const remote = await connect(bench, url, connectOptions);
  const remotes = [remote];
  const closing = new AbortController();
  return {
    async request(size, serial) {
      check("the reply's serial", serialOf(await remote.echo(payload(size, serial))), serial);
    },
    async stream(size, items) {
      let seq = 0;
      for await (const item of remote.stream({ size, items })) check("the item's serial", serialOf(item), ++seq);
      check("the number of items", seq, items);
    },
    async subscribe(subscribers, delivered) {
      for (let subscriber = 0; subscriber < subscribers; subscriber++) {
        const own = await connect(bench, url, connectOptions);
        remotes.push(own);
        const subscription = await own.status.subscribe();
        receive(subscription, ({ data }) => delivered(subscriber, serialOf(data)), closing.signal);
      }
    },
    publish(size, serial) {
      void remote.status.publish({}, payload(size, serial));
    },
    async close() {
      closing.abort();
      await Promise.all(remotes.map((one) => one.close({ graceMs: 0 })));
    },
  };
}

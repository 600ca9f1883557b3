import { createHub, type Hub } from "@parley/core";
import {
  answererItem,
  type Call,
  type Connection,
  createCall,
  createEnvelope,
  type Envelope,
  type Handler,
  reply,
  type Transport,
} from "@parley/core/transport";
import { type CallingSide, type Contender, check } from "../contender.ts";
import { payload, type StreamRequest, serialOf } from "../payload.ts";
import { ANSWERER, CALLER, ECHO, STATUS, STREAM, subjectOf } from "./event.ts";
import { listenAddress } from "./listen-address.ts";
import { receive } from "./receive.ts";

/** Parley at the level of its transports: events, calls, `connection.call`. */
export function parley(transport: Transport): Contender {
  return {
    async serve(broker) {
      const listener = await transport.listen(new URL(listenAddress(transport, broker)), handler(createHub()));
      return { url: listener.url.href, close: () => listener.close({ graceMs: 0 }) };
    },
    connect: (url) => connect(transport, new URL(url)),
  };
}

function handler(hub: Hub): Handler {
  return (call) => {
    const { kind, message } = call;
    switch (kind) {
      case "request":
        return { message: reply(message, ANSWERER, message.data) };
      case "server-stream":
        return { output: items(message) };
      case "subscribe":
        return { output: hub.subscribe(message.subject ?? "", call) };
      default:
        hub.publish(message);
        return {};
    }
  };
}

async function* items(message: Envelope): AsyncGenerator<Envelope, void, undefined> {
  const { content, items } = message.data as StreamRequest; // ours
  for (let seq = 1; seq <= items; seq++) yield answererItem(message, ANSWERER, seq, payload(content, seq));
}

async function connect(transport: Transport, url: URL): Promise<CallingSide> {
  const connection = await transport.connect(url);
  const closing = new AbortController();
  return {
    async request(data) {
      const message = createEnvelope({ kind: "request", type: ECHO, source: CALLER, data });
      const call = createCall({ kind: "request", message });
      try {
        const { message: answer } = await connection.call(call);
        check("the reply's id", answer?.id, `${message.id}.r`);
        check("the reply's serial", serialOf(answer?.data), data.serial);
      } finally {
        call.settle();
      }
    },
    async stream(data) {
      const message = createEnvelope({ kind: "server-stream", type: STREAM, source: CALLER, data });
      const call = createCall({ kind: "server-stream", message });
      try {
        let seq = 0;
        for await (const { id } of await output(connection, call))
          check("the item's id", id, `${message.id}.s${++seq}`);
        check("the number of items", seq, data.items);
      } finally {
        call.settle();
      }
    },
    async subscribe(topic, delivered) {
      const subject = subjectOf(topic);
      const message = createEnvelope({ kind: "subscribe", type: STATUS, source: CALLER, subject });
      const publications = await output(connection, createCall({ kind: "subscribe", message }));
      receive(publications, ({ data }) => delivered(serialOf(data)), closing.signal);
    },
    async publish(topic, data) {
      const subject = subjectOf(topic);
      const message = createEnvelope({ kind: "publish", type: STATUS, source: CALLER, subject, data });
      const call = createCall({ kind: "publish", message });
      try {
        await connection.call(call);
      } finally {
        call.settle();
      }
    },
    async close() {
      closing.abort();
      await connection.close({ graceMs: 0 });
    },
  };
}

async function output(connection: Connection, call: Call): Promise<AsyncIterable<Envelope>> {
  const { output } = await connection.call(call);
  if (!output) throw new Error(`the call of ${call.message.type} was answered without a stream`);
  return output;
}

import { randomUUID } from "node:crypto";
import { connectAsync } from "mqtt";
import type { CallingSide, Contender, Delivered, ServingSide } from "../contender.ts";
import { serialOf } from "../payload.ts";
import { brokerOf } from "./broker-url.ts";
import { type Event, opener, STATUS, subjectOf } from "./event.ts";
import { PlainCalls, respond } from "./plain-calls.ts";

/** MQTT with the `mqtt` library and nothing else, at QoS 0: an event a message, an inbox for the answers, a map of what is pending. */
export const rawMqtt: Contender = { serve, connect };

async function serve(url: string | undefined): Promise<ServingSide> {
  if (url === undefined) throw new Error("MQTT needs a broker");
  const client = await connectAsync(brokerOf(url));
  client.on("message", (_, payload) => {
    const message: Event = JSON.parse(payload.toString());
    respond(message, (event) => client.publish(message.replyto ?? "", JSON.stringify(event)));
  });
  await client.subscribeAsync(callsTo(url));
  return { url, close: () => client.endAsync(true) };
}

async function connect(url: string): Promise<CallingSide> {
  const client = await connectAsync(brokerOf(url));
  const replyto = `inbox/${randomUUID()}`;
  const send = (topic: string, event: Event): void => void client.publish(topic, JSON.stringify(event));
  const calls = new PlainCalls((event) => send(callsTo(url), { ...event, replyto }));
  const subscriptions = new Map<string, Delivered>();
  client.on("message", (topic, payload) => {
    const message: Event = JSON.parse(payload.toString());
    if (topic === replyto) calls.received(message);
    else subscriptions.get(topic)?.(serialOf(message.data));
  });
  await client.subscribeAsync(replyto);
  return {
    request: (data) => calls.request(data),
    stream: (asked) => calls.stream(asked),
    async subscribe(topic, delivered) {
      const subject = subjectOf(topic);
      subscriptions.set(subject, delivered);
      await client.subscribeAsync(subject);
    },
    publish(topic, data) {
      const subject = subjectOf(topic);
      send(subject, opener("publish", STATUS, { subject, data }));
      return undefined;
    },
    close: () => client.endAsync(true),
  };
}

function callsTo(url: string): string {
  return `${new URL(url).pathname.slice(1)}/call`;
}

import { once } from "node:events";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { CallingSide, Contender, Delivered, ServingSide } from "../contender.ts";
import { serialOf } from "../payload.ts";
import { answer, type Event, opener, STATUS, subjectOf } from "./event.ts";
import { PlainCalls, respond } from "./plain-calls.ts";
import { loopback, servingWs } from "./serving.ts";
import { Subscribers } from "./subscribers.ts";

/** WebSocket with the `ws` library and nothing else: an event a message, `JSON.stringify`, `JSON.parse`, a map of what is pending. */
export const rawWs: Contender = { serve, connect };

async function serve(): Promise<ServingSide> {
  const server = new WebSocketServer({ ...loopback, perMessageDeflate: false });
  const subscribers = new Subscribers<WebSocket>();
  server.on("connection", (socket) => {
    socket.on("message", (data: RawData) => {
      const message: Event = JSON.parse(data.toString());
      if (message.kind === "subscribe") {
        subscribers.add(message.subject, socket);
        socket.send(JSON.stringify(answer(message)));
      } else if (message.kind === "publish") {
        const text = JSON.stringify({ ...message, kind: "item" });
        for (const subscriber of subscribers.of(message.subject)) subscriber.send(text);
      } else respond(message, (event) => socket.send(JSON.stringify(event)));
    });
    socket.on("close", () => subscribers.delete(socket));
  });
  return servingWs(server);
}

async function connect(url: string): Promise<CallingSide> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const send = (event: Event): void => socket.send(JSON.stringify(event));
  const calls = new PlainCalls(send);
  const subscriptions = new Map<string, Delivered>();
  socket.on("message", (data: RawData) => {
    const message: Event = JSON.parse(data.toString());
    if (message.subject === undefined) calls.received(message);
    else subscriptions.get(message.subject)?.(serialOf(message.data));
  });
  await once(socket, "open");
  return {
    request: (data) => calls.request(data),
    stream: (asked) => calls.stream(asked),
    subscribe(topic, delivered) {
      const subject = subjectOf(topic);
      subscriptions.set(subject, delivered);
      return calls.waitFor(opener("subscribe", STATUS, { subject }), () => true);
    },
    publish(topic, data) {
      send(opener("publish", STATUS, { subject: subjectOf(topic), data }));
      return undefined;
    },
    async close() {
      socket.close();
    },
  };
}

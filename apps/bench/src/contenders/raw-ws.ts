import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { type CallingSide, type Contender, check, type ServingSide } from "../contender.ts";
import { payload, type StreamRequest, serialOf } from "../payload.ts";
import { answer, ECHO, type Event, item, opener, STATUS, STATUS_TOPIC, STREAM } from "./event.ts";

/** WebSocket with the `ws` library and nothing else: an event a message, `JSON.stringify`, `JSON.parse`, a map of what is pending. */
export const rawWs: Contender = { serve, connect };

async function serve(): Promise<ServingSide> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  const subscribers = new Set<WebSocket>();
  server.on("connection", (socket) => {
    socket.on("message", (data: RawData) => {
      const message: Event = JSON.parse(data.toString());
      switch (message.kind) {
        case "request":
          socket.send(JSON.stringify(answer(message)));
          break;
        case "server-stream": {
          const { size, items } = message.data as StreamRequest; // ours
          for (let seq = 1; seq <= items; seq++) socket.send(JSON.stringify(item(message, seq, payload(size, seq))));
          break;
        }
        case "subscribe":
          subscribers.add(socket);
          socket.send(JSON.stringify(answer(message)));
          break;
        case "publish": {
          const text = JSON.stringify({ ...message, kind: "item" });
          for (const subscriber of subscribers) subscriber.send(text);
        }
      }
    });
    socket.on("close", () => subscribers.delete(socket));
  });
  await once(server, "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function connect(url: string): Promise<CallingSide> {
  const sockets: WebSocket[] = [];
  const { send, waitFor } = await dial(url, sockets);
  return {
    request(size, serial) {
      const message = opener("request", ECHO, { data: payload(size, serial) });
      return waitFor(message, ({ id, data }) => {
        check("the reply's id", id, `${message.id}.r`);
        check("the reply's serial", serialOf(data), serial);
        return true;
      });
    },
    stream(size, items) {
      const message = opener("server-stream", STREAM, { data: { size, items } satisfies StreamRequest });
      let seq = 0;
      return waitFor(message, ({ id }) => {
        check("the item's id", id, `${message.id}.s${++seq}`);
        return seq === items;
      });
    },
    async subscribe(subscribers, delivered) {
      for (let subscriber = 0; subscriber < subscribers; subscriber++) {
        const socket = await dial(url, sockets, ({ data }) => delivered(subscriber, serialOf(data)));
        await socket.waitFor(opener("subscribe", STATUS, { subject: STATUS_TOPIC }), () => true);
      }
    },
    publish: (size, serial) => send(opener("publish", STATUS, { subject: STATUS_TOPIC, data: payload(size, serial) })),
    async close() {
      for (const socket of sockets) socket.close();
    },
  };
}

interface Dialled {
  send(message: Event): void;
  /** Sends the opener of a call; resolves when `received` says that all has come that it waits for, and rejects with what that throws. */
  waitFor(message: Event, received: (message: Event) => boolean): Promise<void>;
}

async function dial(url: string, sockets: WebSocket[], published?: (message: Event) => void): Promise<Dialled> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  sockets.push(socket);
  const pending = new Map<number | undefined, (message: Event) => void>();
  let calls = 0;
  socket.on("message", (data: RawData) => {
    const message: Event = JSON.parse(data.toString());
    if (message.subject === undefined) pending.get(message.call)?.(message);
    else published?.(message);
  });
  await once(socket, "open");
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    waitFor: (message, received) =>
      new Promise((resolve, reject) => {
        const call = ++calls;
        pending.set(call, (answered) => {
          try {
            if (!received(answered)) return;
            pending.delete(call);
            resolve();
          } catch (error) {
            reject(error);
          }
        });
        socket.send(JSON.stringify({ ...message, call }));
      }),
  };
}

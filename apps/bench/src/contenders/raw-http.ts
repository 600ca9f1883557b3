import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";
import { type CallingSide, type Contender, check, type ServingSide } from "../contender.ts";
import { payload, type StreamRequest, serialOf } from "../payload.ts";
import { answer, ECHO, type Event, item, opener, STATUS, STREAM, subjectOf } from "./event.ts";
import { receive } from "./receive.ts";
import { servingHttp } from "./serving.ts";
import { Subscribers } from "./subscribers.ts";

/** How the events of a stream are told apart. */
export interface Framing {
  readonly type: string;
  /** An event of this text. */
  write(text: string): string;
  /** Makes what reads a stream: given its text as it comes, it hands on the texts of events. */
  reader(take: (text: string) => void): (chunk: string) => void;
}

/** HTTP with `node:http` and undici's `Pool.request` and nothing else: an event a POST, streams as a line an event. */
export const rawHttp: Contender = rawWith({
  type: "application/x-ndjson",
  write: (text) => `${text}\n`,
  reader(take) {
    let rest = "";
    return (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) take(line);
    };
  },
});

/** The same with streams of some other form. */
export function rawWith(framing: Framing): Contender {
  return { serve: () => serve(framing), connect: (url) => connect(url, framing) };
}

const headers = { "content-type": "application/cloudevents+json" };

async function serve(framing: Framing): Promise<ServingSide> {
  const subscribers = new Subscribers<ServerResponse>();
  const server = createServer((request, response) => {
    respond(request, response, framing, subscribers).catch((error: unknown) => response.destroy(error as Error));
  });
  return servingHttp(server);
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { type, write }: Framing,
  subscribers: Subscribers<ServerResponse>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const message: Event = JSON.parse(Buffer.concat(chunks).toString());
  switch (message.kind) {
    case "request": {
      const body = JSON.stringify(answer(message));
      response.writeHead(200, { ...headers, "content-length": Buffer.byteLength(body) });
      response.end(body);
      break;
    }
    case "server-stream": {
      const { content, items } = message.data as StreamRequest; // ours
      response.writeHead(200, { "content-type": type });
      for (let seq = 1; seq <= items; seq++) {
        const text = JSON.stringify(item(message, seq, payload(content, seq)));
        if (!response.write(write(text))) await once(response, "drain");
      }
      response.end();
      break;
    }
    case "subscribe":
      subscribers.add(message.subject, response);
      response.on("close", () => subscribers.delete(response));
      response.writeHead(200, { "content-type": type });
      response.flushHeaders();
      break;
    default: {
      const text = write(JSON.stringify({ ...message, kind: "item" }));
      for (const subscriber of subscribers.of(message.subject)) subscriber.write(text);
      response.writeHead(202).end();
    }
  }
}

async function connect(url: string, framing: Framing): Promise<CallingSide> {
  const pool = new Pool(url);
  const closing = new AbortController();
  const post = (message: Event) =>
    pool.request({ method: "POST", path: `/${message.type}`, headers, body: JSON.stringify(message), bodyTimeout: 0 });
  return {
    async request(data) {
      const message = opener("request", ECHO, { data });
      const { body } = await post(message);
      const answered = (await body.json()) as Event; // ours
      check("the reply's id", answered.id, `${message.id}.r`);
      check("the reply's serial", serialOf(answered.data), data.serial);
    },
    async stream(data) {
      const message = opener("server-stream", STREAM, { data });
      const { body } = await post(message);
      body.setEncoding("utf8");
      let seq = 0;
      const read = framing.reader((text) => {
        check("the item's id", (JSON.parse(text) as Event).id, `${message.id}.s${++seq}`);
      });
      for await (const chunk of body) read(chunk);
      check("the number of items", seq, data.items);
    },
    async subscribe(topic, delivered) {
      const { body } = await post(opener("subscribe", STATUS, { subject: subjectOf(topic) }));
      body.setEncoding("utf8");
      receive(
        body,
        framing.reader((text) => delivered(serialOf((JSON.parse(text) as Event).data))),
        closing.signal,
      );
    },
    async publish(topic, data) {
      const { body } = await post(opener("publish", STATUS, { subject: subjectOf(topic), data }));
      await body.dump();
    },
    async close() {
      closing.abort();
      await pool.destroy();
    },
  };
}

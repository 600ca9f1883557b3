import { createHash } from "node:crypto";
import type { Scenario } from "../scenario.ts";
import { collect, upTo } from "./expect.ts";

const request = { kinds: ["request"] } as const;
const binary = { datacontenttype: "application/octet-stream" } as const;

/** BIN: bytes arrive as bytes, whatever they look like. */
export const binaryScenarios: readonly Scenario[] = [
  {
    id: "BIN-01",
    group: "BIN",
    level: "must",
    title:
      "No bytes (not the same as no data), one byte, and every byte value 4096 times, or as often as one message holds, arrive as an equal Uint8Array.",
    needs: request,
    mutants: ["decodes-bytes-as-text"],
    async run(env) {
      const connection = await env.connect();
      // As base64, with room for what is around it, it must fit into one message.
      const times = Math.min(4096, Math.floor((env.manifest.limits.maxMessageBytes - 4096) / 342));
      const all = Uint8Array.from({ length: 256 * times }, (_, at) => at & 255);
      for (const data of [new Uint8Array(0), Uint8Array.of(0xff), all]) {
        const made = env.calls.make(connection, "request", "echo", { data, attributes: binary });
        const reply = await env.within(`the reply to ${data.length} bytes`, env.calls.message(made), 2 * env.t);
        const called = await env.called(made.id);
        env.handler.equal(`sha256 of ${data.length} bytes as they arrived`, sha256(called.message.data), sha256(data));
        env.handler.equal(`type of ${data.length} bytes as they arrived`, called.bytes, "Uint8Array");
        env.caller.equal(`sha256 of ${data.length} bytes as they came back`, sha256(reply.data), sha256(data));
        env.caller.equal(`type of ${data.length} bytes as they came back`, typeName(reply.data), "Uint8Array");
      }
      const absent = env.calls.make(connection, "request", "echo");
      await env.within("the reply to no data", env.calls.message(absent));
      env.handler.equal("whether absent data arrived as data", "data" in (await env.called(absent.id)).message, false);
    },
  },
  {
    id: "BIN-02",
    group: "BIN",
    level: "must",
    title: "Payloads that look like framing arrive intact, and so do the next three messages.",
    needs: request,
    mutants: ["splits-at-newline"],
    async run(env) {
      const connection = await env.connect();
      for (const [name, text] of Object.entries(lookalikes)) {
        const bytes = Buffer.from(text, "latin1");
        for (const data of [new Uint8Array(bytes), text]) {
          const attributes = typeof data === "string" ? {} : binary;
          const made = env.calls.make(connection, "request", "echo", { data, attributes });
          const reply = await env.within(`the reply to ${name}`, env.calls.message(made));
          env.handler.equal(`${name} as it arrived`, (await env.called(made.id)).message.data, data);
          env.caller.equal(`${name} as it came back`, reply.data, data);
        }
        for (const next of upTo(3)) {
          const reply = await env.within(
            `message ${next} after ${name}`,
            env.calls.request(connection, "echo", { data: next }),
          );
          env.caller.equal(`message ${next} after ${name}`, reply.data, next);
        }
      }
    },
  },
  {
    id: "BIN-03",
    group: "BIN",
    level: "must",
    title: "200 messages that alternate between text and bytes keep type and order.",
    needs: request,
    mutants: ["single-type"],
    async run(env) {
      const connection = await env.connect();
      const data = upTo(200).map((n) => (n % 2 === 0 ? `text ${n}` : Uint8Array.of(n & 255, n >> 8)));
      const ids: string[] = [];
      for (const one of data) {
        const attributes = typeof one === "string" ? { datacontenttype: "text/plain" } : binary;
        const made = env.calls.make(connection, "request", "echo", { data: one, attributes });
        ids.push(made.id);
        env.caller.equal("what came back", (await env.within("a reply", env.calls.message(made))).data, one);
      }
      const seen = env.events(undefined, "called").filter(({ operation }) => operation === "echo");
      env.handler.equal(
        "the order of arrival",
        seen.map(({ call }) => call),
        ids,
      );
      env.handler.equal(
        "what arrived",
        seen.map(({ detail }) => (detail as { message: { data: unknown } }).message.data),
        data,
      );
      if (env.manifest.kinds["server-stream"] === "none") return;
      const made = env.calls.make(connection, "server-stream", "mixed", { data: { n: 200 } });
      const output = await env.within("the acceptance of a mixed stream", env.calls.output(made));
      env.caller.equal("a mixed stream", await env.within("the end of a mixed stream", collect(output)), data);
    },
  },
];

const lookalikes = {
  "a line feed": "\n",
  "the end of an HTTP head": "\r\n\r\n",
  "a server-sent event": "data: x\n\n",
  NUL: "\u0000",
  "a gRPC prefix": "\u0000\u0000\u0000\u0000\u0005hello",
  "a WebSocket close frame": "\u0088\u0002\u0003\u00e8",
  "a WebSocket text frame": "\u0081\u0005hello",
  "a chunk of HTTP and the last": "5\r\nhello\r\n0\r\n\r\n",
  "an event of Parley":
    '{"specversion":"1.0","parley":"1","id":"x.r","source":"/x","type":"conformance.echo.v1","kind":"reply","call":1}\n',
  "an MQTT packet": "0\u0005\u0000\u0001aok",
} as const;

function sha256(data: unknown): string {
  return data instanceof Uint8Array ? createHash("sha256").update(data).digest("hex") : `(no bytes: ${typeof data})`;
}

function typeName(data: unknown): string {
  return data instanceof Uint8Array ? data.constructor.name : typeof data;
}

import { request as httpRequest } from "node:http";
import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";

/** What became of a document that was given to a listener in the place of an event. */
export interface Taken {
  /** Refused: the connection ended with this code, or the answer had it, or it was counted. Nothing: it was taken for an event. */
  readonly refusal: string | undefined;
  /** Data of the answer to the call behind it, if there was one. */
  readonly answer?: unknown;
}

/** Operation of what must not be dispatched; nothing else calls it where documents are given. */
export const TRAP = "nothing";

/** Gives the listener a document, made for the number of the call that it opens. `undefined` where this wire cannot carry such bytes at all. */
export type GiveRaw = (document: (call: number) => Buffer) => Promise<Taken | undefined>;

type Behind = "echo" | "stall";

/** How often a counter is looked at, a round to the other process each. */
const SOON_LOOKS = 20;

/** The first call that a side that has dialled may open after its hello. */
const FIRST_CALL = 3;

/**
 * What gives documents in the place of events: each on a connection of its own; on the last one, while it is open, where
 * a connection costs much: it is a process, or a broker passes on what is sent.
 * @param behind the operation that is called behind each
 */
export function rawGiver(env: Environment, behind: Behind = "echo"): GiveRaw {
  let open: { readonly connection: Connection; readonly call: number } | undefined;
  return async (make) => {
    // Where there is a broker the document says where its answer goes, and that is known of a connection that has spoken.
    if (env.manifest.broker && open?.connection.state !== "open")
      open = { connection: await env.connect(), call: FIRST_CALL };
    const call = open?.connection.state === "open" ? open.call : FIRST_CALL;
    const document = make(call);
    if (env.tapping === "http") return { refusal: (await postRaw(env, TRAP, document)).refusal };
    const text = document.toString("utf8");
    if (env.tapping === "mqtt" && isPlainCall(env, text)) return undefined;
    const isText = Buffer.from(text, "utf8").equals(document);
    if (!isText && env.tapping !== "websocket" && env.tapping !== "lines") return undefined;
    const connection = open?.connection.state === "open" ? open.connection : await env.connect();
    const before = (await env.servingStats()).refusedMessages;
    if (env.tapping === "websocket") env.tap.inject(maskedText(document), "dialler");
    else if (isText) env.tap.forge(text, "dialler");
    else env.tap.inject(Buffer.concat([document, Buffer.from("\n")]), "dialler");
    const taken = await whatBecameOf(env, connection, before, behind);
    if (env.children || env.manifest.broker) open = { connection, call: call + 2 };
    else await connection.close({ graceMs: 0 });
    return taken;
  };
}

/** MQTT 3.1.1 has no media types: what does not look like an event is a plain call there, its payload the data, and no event that could be bad. */
function isPlainCall({ tap }: Environment, text: string): boolean {
  const sent = tap.captured("dialler");
  // Protocol name and level in the last CONNECT (3.1.2).
  if (sent[sent.lastIndexOf("\u0000\u0004MQTT") + 6] === 5) return false;
  if (!/^\s*[[{]/.test(text)) return true;
  try {
    return !Object.hasOwn(JSON.parse(text) as object, "specversion");
  } catch {
    return false;
  }
}

/** Where the answers of the connection that spoke last go, as far as that is said. */
export function replyToOf({ tap }: Environment): { readonly replyto?: string } {
  const sent = tap.captured("dialler");
  const at = sent.lastIndexOf('"replyto":"');
  const replyto = at === -1 ? undefined : /^"replyto":"([^"]+)"/.exec(sent.toString("utf8", at, at + 300))?.[1];
  return replyto === undefined ? {} : { replyto };
}

/** What a call behind the document meets: the end of the connection, or, on wires that only count, a counter that has gone up. */
async function whatBecameOf(env: Environment, connection: Connection, before: number, behind: Behind): Promise<Taken> {
  const counted = async (): Promise<boolean> => (await env.servingStats()).refusedMessages > before;
  // A broker may keep an echo behind it back for as long as the receiver keeps its acknowledgement (40 ms), so it is the last resort.
  for (let looks = env.manifest.broker ? SOON_LOOKS : 0; looks > 0; looks--)
    if (await counted()) return { refusal: "counted" };
  const { reply } = env.calls.make(connection, "request", behind, { data: "behind" });
  const answered = await env.within(
    "an answer behind the document, or the end of the connection",
    reply.catch(() => undefined),
  );
  if (answered) return { refusal: (await counted()) ? "counted" : undefined, answer: answered.message?.data };
  const reason = await env.within("the end of the connection", connection.closed);
  return { refusal: reason?.code ?? "closed" };
}

/** An answer over HTTP. */
interface RawAnswer {
  readonly status: number;
  readonly body: string;
  readonly refusal: string | undefined;
}

/** Posts a document as an event in structured mode, as any HTTP client does. */
export async function postRaw(env: Environment, operation: string, document: Buffer): Promise<RawAnswer> {
  const { hostname, port } = await env.url();
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const request = httpRequest(
    {
      host: hostname,
      port,
      method: "POST",
      path: `/conformance.${operation}.v1`,
      agent: false,
      headers: { "content-type": "application/cloudevents+json", "content-length": document.length },
    },
    (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        const code = /"code":\s*"([a-z_]+)"/.exec(body)?.[1];
        resolve({ status, body, refusal: status >= 400 ? (code ?? String(status)) : undefined });
      });
    },
  );
  request.on("error", reject);
  request.end(document);
  return env.within("an answer to a POST", promise);
}

/** A text frame as a client sends it (RFC 6455, 5.2), with a mask of zeros, which changes nothing. */
export function maskedText(payload: Buffer): Buffer {
  return maskedFrame(0x81, payload);
}

/** A frame of a client whose first byte is given: flags and opcode. */
export function maskedFrame(first: number, payload: Buffer): Buffer {
  const mask = Buffer.alloc(4);
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, 0x80 | payload.length]), mask, payload]);
  if (payload.length < 65_536) {
    const head = Buffer.from([first, 0xfe, 0, 0]);
    head.writeUInt16BE(payload.length, 2);
    return Buffer.concat([head, mask, payload]);
  }
  const head = Buffer.from([first, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, mask, payload]);
}

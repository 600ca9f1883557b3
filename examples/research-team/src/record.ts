import { appendFileSync } from "node:fs";
import {
  type Call,
  type CallKind,
  derive,
  type Envelope,
  type Interceptor,
  ParleyError,
  type Reply,
} from "@parley/core";

/** A message of a call, as whoever made the call saw it. */
export interface Message {
  /** Milliseconds since 1970, with a fraction. */
  readonly at: number;
  readonly kind: CallKind | "reply" | "item" | "end" | "error" | "cancel";
  readonly from: string;
  readonly to: string;
  /** Name of the transport. */
  readonly wire: string;
  /** The operation, without its version. */
  readonly operation: string;
  /** Id of the message that opened the call. */
  readonly call: string;
  /** The same effect is asked for under the same key. */
  readonly key?: string | undefined;
  readonly data?: unknown;
  readonly error?: { readonly code: string; readonly outcome: string; readonly message: string };
}

/** Something that happened to somebody. */
export interface Incident {
  readonly at: number;
  readonly kind: "killed" | "note";
  readonly who: string;
  readonly text: string;
}

export type Recorded = Message | Incident;

/** Writes down what one process of the team says and hears. */
export interface Recorder {
  /** For a client's `use`: records the calls to somebody. Each call is recorded by its caller, and by nobody else. */
  calls(to: string, wire: string): Interceptor;
  incident(kind: Incident["kind"], who: string, text: string): void;
}

/** Appends to a file that all processes share: a line an event, written at once, so that nothing is lost with a process that is killed. */
export function recorder(path: string, self: string): Recorder {
  const write = (event: Recorded): void => appendFileSync(path, `${JSON.stringify(event)}\n`);
  const now = (): number => performance.timeOrigin + performance.now();
  return {
    calls: (to, wire) => (next) => async (call) => {
      const { id, type, idempotencykey: key } = call.message;
      const operation = type.replace(/\.v\d+$/, "");
      const say = (kind: Message["kind"], sent: boolean, more: Pick<Message, "data" | "error" | "key"> = {}): void => {
        const [source, target] = sent ? [self, to] : [to, self];
        write({ at: now(), kind, from: source, to: target, wire, operation, call: id, ...more });
      };
      say(call.kind, true, { key, data: call.message.data });
      const reply = await next(withInput(call, (data) => say("item", true, { data }))).catch((error: unknown) => {
        say("error", false, { error: told(error) });
        throw error;
      });
      if (reply.message) say("reply", false, { data: reply.message.data });
      return withOutput(reply, say);
    },
    incident: (kind, who, text) => write({ at: now(), kind, who, text }),
  };
}

type Say = (kind: Message["kind"], sent: boolean, more?: Pick<Message, "data" | "error">) => void;

function withInput(call: Call, sent: (data: unknown) => void): Call {
  const { input } = call;
  if (!input) return call;
  async function* items(from: AsyncIterable<Envelope>) {
    for await (const item of from) {
      sent(item.data);
      yield item;
    }
  }
  return derive(call, { input: items(input) });
}

function withOutput(reply: Reply, say: Say): Reply {
  const { output } = reply;
  if (!output) return reply;
  async function* items(from: AsyncIterable<Envelope>) {
    let over = false;
    try {
      for await (const item of from) {
        say("item", false, { data: item.data });
        yield item;
      }
      over = true;
      say("end", false);
    } catch (error) {
      over = true;
      say("error", false, { error: told(error) });
      throw error;
    } finally {
      if (!over) say("cancel", true);
    }
  }
  return { output: items(output) };
}

function told(error: unknown): NonNullable<Message["error"]> {
  if (!(error instanceof ParleyError)) return { code: "internal", outcome: "unknown", message: String(error) };
  const { code, outcome, message } = error;
  return { code, outcome, message };
}

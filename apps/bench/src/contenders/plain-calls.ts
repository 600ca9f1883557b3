import { type CallingSide, check } from "../contender.ts";
import { type Payload, payload, type StreamRequest, serialOf } from "../payload.ts";
import { answer, ECHO, type Event, item, opener, STREAM } from "./event.ts";

/** Answers requests and streams as raw code does that has a pipe of messages: an event a message, as they come. */
export function respond(message: Event, send: (event: Event) => void): void {
  if (message.kind === "request") send(answer(message));
  else if (message.kind === "server-stream") {
    const { content, items } = message.data as StreamRequest; // ours
    for (let seq = 1; seq <= items; seq++) send(item(message, seq, payload(content, seq)));
  }
}

/** Calls over a pipe of messages: a number for each, and a map of what is pending. */
export class PlainCalls implements Required<Pick<CallingSide, "request" | "stream">> {
  readonly #send: (event: Event) => void;
  readonly #pending = new Map<number | undefined, (message: Event) => void>();
  #calls = 0;

  constructor(send: (event: Event) => void) {
    this.#send = send;
  }

  request(data: Payload): Promise<void> {
    const message = opener("request", ECHO, { data });
    return this.waitFor(message, (answered) => {
      check("the reply's id", answered.id, `${message.id}.r`);
      check("the reply's serial", serialOf(answered.data), data.serial);
      return true;
    });
  }

  stream(data: StreamRequest): Promise<void> {
    const message = opener("server-stream", STREAM, { data });
    let seq = 0;
    return this.waitFor(message, ({ id }) => {
      check("the item's id", id, `${message.id}.s${++seq}`);
      return seq === data.items;
    });
  }

  /** Sends the opener of a call; resolves when `received` says that all has come that it waits for, and rejects with what that throws. */
  waitFor(message: Event, received: (message: Event) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = ++this.#calls;
      this.#pending.set(call, (answered) => {
        try {
          if (!received(answered)) return;
          this.#pending.delete(call);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
      this.#send({ ...message, call });
    });
  }

  /** Takes what the peer sends. */
  received(message: Event): void {
    this.#pending.get(message.call)?.(message);
  }
}

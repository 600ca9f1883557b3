import { type Link, OutgoingCall, type Settle } from "@parley/core/http/client";
import { type Call, encode, follower, type Reply, timeLeft, toParleyError } from "@parley/core/transport";
import { BatchRequest } from "./batch-request.ts";
import { BatchedCall } from "./batched-call.ts";

/** Longer messages gain nothing from company. */
const MAX_EVENT_CHARS = 4 * 1024;

/** A batch leaves when it has grown to this, so that the peer starts on it while this side goes on. */
const FULL_EVENTS = 32;
const FULL_CHARS = 64 * 1024;

interface Waiting {
  readonly call: Call;
  readonly settle: Settle;
}

/** Collects the single messages of a turn, and sends those that are small as one request. One alone goes as it always does. */
export class Batcher {
  readonly #link: Link;
  readonly #maxEvents: number;
  #waiting: Waiting[] = [];
  #cancelled: string[] = [];
  #flushDue = false;

  /** @param maxEvents what the peer takes in one batch. */
  constructor(link: Link, maxEvents: number) {
    this.#link = link;
    this.#maxEvents = Math.min(maxEvents, FULL_EVENTS);
  }

  /** Calls that leave when the turn ends. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Makes a call when the turn ends. */
  add(call: Call): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, settle: { resolve, reject } });
      if (this.#waiting.length >= this.#maxEvents) this.#flush();
      else this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#link.runtime.defer(() => {
      this.#flushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    const events = this.#cancelled;
    this.#waiting = [];
    this.#cancelled = [];
    const [first] = waiting;
    if (first && waiting.length === 1 && events.length === 0) return this.#alone(first);
    let batch = new Map<string, BatchedCall>();
    let texts = events;
    let chars = 0;
    const send = (): void => {
      if (texts.length === 0) return;
      new BatchRequest(this.#link, batch, (call) => this.#cancel(call)).start(texts);
      batch = new Map();
      texts = [];
      chars = 0;
    };
    for (const one of waiting) {
      const text = this.#textOf(one);
      if (text === undefined) continue;
      // Answers are told apart by the opener's id, which attempts at one call share.
      if (batch.has(one.call.message.id) || texts.length >= this.#maxEvents || chars + text.length > FULL_CHARS) send();
      batch.set(one.call.message.id, new BatchedCall(this.#link, one.call, one.settle));
      texts.push(text);
      chars += text.length;
    }
    send();
  }

  /** The event to put into a batch; none when the call goes alone, or not at all. */
  #textOf(one: Waiting): string | undefined {
    const { call, settle } = one;
    try {
      const text = encode(call.message, { timeoutms: timeLeft(call, this.#link.runtime) });
      if (text.length <= MAX_EVENT_CHARS) return text;
    } catch (thrown) {
      settle.reject(toParleyError(thrown));
      return undefined;
    }
    this.#alone(one);
    return undefined;
  }

  #alone({ call, settle }: Waiting): void {
    try {
      new OutgoingCall(this.#link, call, settle).start();
    } catch (thrown) {
      settle.reject(toParleyError(thrown));
    }
  }

  #cancel({ message }: BatchedCall): void {
    const cancel = follower("cancel", `${message.id}.x`, message, message.source, { code: "cancelled" });
    this.#cancelled.push(encode(cancel, { inreplyto: message.id }));
    this.#flushSoon();
  }
}

import { ParleyError, TransportError } from "@parley/core/transport";
import type { StdioEncoding } from "../text-lines.ts";
import type { Exchange, ExchangeInit } from "./exchange.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { Operation } from "./operation.ts";
import { type Turn, Turns } from "./turns.ts";
import { Search, type Until } from "./until.ts";

/** Bytes as they come, or up to a prompt. */
export class RawExchange implements Exchange {
  readonly #init: ExchangeInit;
  readonly #encoding: StdioEncoding;
  readonly #prompt: Until | undefined;
  readonly #held = new HeldBytes();
  /** With what each looks for; nothing: whatever comes next. */
  readonly #turns: Turns<Search | undefined, Buffer>;
  #paused = false;
  #end: { readonly error: ParleyError; readonly inOrder: boolean } | undefined;

  constructor(init: ExchangeInit, encoding: StdioEncoding = "utf8", prompt?: Until) {
    this.#init = init;
    this.#encoding = encoding;
    this.#prompt = prompt;
    this.#turns = new Turns(init);
  }

  get unread(): boolean {
    return this.#held.length > 0;
  }

  data(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#serve();
  }

  finish(error: ParleyError, inOrder: boolean): void {
    this.#end = { error, inOrder };
    this.#turns.finish(error);
  }

  async send(message: unknown, operation: Operation): Promise<void> {
    await this.#init.outbox.write(this.#bytesOf(message), operation);
  }

  /** One at a time: the program is not asked before it has answered, so that a prompt is the last that it writes. */
  async request(question: unknown, operation: Operation, until: unknown): Promise<string> {
    const bytes = this.#bytesOf(question);
    const search = new Search(until ?? this.#prompt, this.#encoding);
    while (this.#turns.busy) await this.#turns.freed(operation);
    return (await this.#take(search, operation, bytes)).toString(this.#encoding);
  }

  /** The text before a place, which is read as well. */
  async readUntil(until: unknown, operation: Operation): Promise<string> {
    return (await this.#take(new Search(until, this.#encoding), operation)).toString(this.#encoding);
  }

  async next(operation: Operation): Promise<IteratorResult<Buffer, undefined>> {
    try {
      return { done: false, value: await this.#take(undefined, operation) };
    } catch (error) {
      if (this.#end?.inOrder && !operation.error) return { done: true, value: undefined };
      throw error;
    }
  }

  async #take(want: Search | undefined, operation: Operation, question?: Buffer): Promise<Buffer> {
    if (this.#end && !question) {
      const left = this.#match(want);
      if (left) return left;
      throw this.#end.error;
    }
    const taken = this.#turns.wait(want, operation, question);
    this.#serve();
    return await taken;
  }

  #serve(): void {
    for (let turn = this.#turns.first; turn && this.#held.length > 0; turn = this.#turns.first) {
      const bytes = this.#match(turn.want);
      if (bytes) this.#turns.settle(turn, bytes);
      else if (!this.#overflows(turn)) break;
    }
    this.#control();
  }

  /** Takes what is looked for, and what stands before it. */
  #match(want: Search | undefined): Buffer | undefined {
    const { length } = this.#held;
    if (!want) return length > 0 ? this.#held.take(length) : undefined;
    const place = want.find(this.#held.bytes);
    return place && this.#held.take(place.end).subarray(0, place.start);
  }

  /** Whether somebody else is to be served now, since what is looked for did not come within the limit. */
  #overflows(turn: Turn<Search | undefined, Buffer>): boolean {
    const { program, maxMessageBytes } = this.#init;
    if (this.#held.length <= maxMessageBytes) return false;
    if (turn.take) {
      const problem = `${program} wrote more than ${maxMessageBytes} bytes, which is maxMessageBytes, without a prompt`;
      this.#turns.disappoint(turn, new TransportError("resource_exhausted", problem, { outcome: "unknown" }));
    }
    if (!turn.asked) return true;
    const dropped = this.#held.length - (turn.want?.reach ?? 0);
    this.#held.take(dropped);
    turn.want?.forget(dropped);
    return false;
  }

  /** Holds the program up while it writes what nobody reads. */
  #control(): void {
    const { flow, maxUnreadBytes } = this.#init;
    const wanted = this.#turns.first !== undefined;
    if (!this.#paused && !wanted && this.#held.length > maxUnreadBytes) {
      this.#paused = true;
      flow.pause();
    } else if (this.#paused && (wanted || this.#held.length <= maxUnreadBytes / 2)) {
      this.#paused = false;
      flow.resume();
    }
  }

  #bytesOf(message: unknown): Buffer {
    if (typeof message === "string") return Buffer.from(message, this.#encoding);
    if (message instanceof Uint8Array) return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    throw new ParleyError("invalid_argument", `what is sent must be a text or bytes, and is ${typeof message}`, {
      outcome: "not-sent",
    });
  }
}

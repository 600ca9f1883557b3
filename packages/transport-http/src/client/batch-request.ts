import { decode, type ParleyError, TransportError, toParleyError } from "@parley/core/transport";
import type { Client, Dispatcher } from "undici";
import { LineReader } from "../wire/line-reader.ts";
import { essenceOf, mediaTypes } from "../wire/media-type.ts";
import { type AnswerHeaders, headerOf, readAnswer, strangeAnswer, understood } from "./answer.ts";
import type { BatchedCall, Carrier } from "./batched-call.ts";
import { dispatchError } from "./dispatch-error.ts";
import type { Link } from "./link.ts";

const GIVEN_UP = new Error("the calls were given up");

/** One request with several messages, answered line by line in any order. */
export class BatchRequest implements Dispatcher.DispatchHandler, Carrier {
  readonly #link: Link;
  /** By the id of their opener; those that are not over. */
  readonly #calls: Map<string, BatchedCall>;
  readonly #cancel: (call: BatchedCall) => void;
  readonly #lines: LineReader;
  readonly #chunks: Buffer[] = [];
  #client: Client | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: AnswerHeaders = {};
  #bytes = 0;

  /** @param cancel tells the peer that it need not go on with a call, while others go on. */
  constructor(link: Link, calls: readonly BatchedCall[], cancel: (call: BatchedCall) => void) {
    this.#link = link;
    this.#calls = new Map(calls.map((call) => [call.message.id, call]));
    this.#cancel = cancel;
    this.#lines = new LineReader(link.limits.maxMessageBytes);
  }

  get started(): boolean {
    return this.#controller !== undefined;
  }

  /** Sends the events, whose texts are given. */
  start(events: readonly string[]): void {
    const { sockets, base, headers } = this.#link;
    this.#link.requestBegan();
    for (const call of this.#calls.values()) call.begin(this);
    this.#client = sockets.take();
    const path = base === "" ? "/" : base;
    this.#client.dispatch(
      { path, method: "POST", headers: ["content-type", mediaTypes.events, ...headers], body: events.join("\n") },
      this,
    );
  }

  givenUp(call: BatchedCall): void {
    this.#calls.delete(call.message.id);
    if (this.#calls.size === 0) this.#controller?.abort(GIVEN_UP);
    else this.#cancel(call);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    this.#link.heard();
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#link.heard();
    try {
      if (this.#answersInLines) return this.#lines.read(chunk, (line) => this.#answered(line));
      this.#bytes += chunk.length;
      if (this.#bytes > this.#link.limits.maxMessageBytes)
        throw strangeAnswer(this.#status, this.#headers, this.#link.address);
      this.#chunks.push(chunk);
    } catch (thrown) {
      this.#fail(toParleyError(thrown));
      controller.abort(GIVEN_UP);
    }
  }

  onResponseEnd(): void {
    this.#release();
    this.#fail(this.#missing());
  }

  onResponseError(_controller: Dispatcher.DispatchController, failure: Error): void {
    this.#release();
    this.#fail(dispatchError(failure, this.started, this.#link.address));
  }

  get #answersInLines(): boolean {
    return this.#status === 200 && essenceOf(headerOf(this.#headers, "content-type")) === mediaTypes.events;
  }

  #answered(line: string): void {
    const message = understood(this.#link.address, () => decode(line));
    const call = this.#calls.get(message.inreplyto ?? "");
    if (!call) return this.#link.late();
    this.#calls.delete(call.message.id);
    call.answered(message);
  }

  /** Why those are without an answer that still are when the request is over. */
  #missing(): ParleyError {
    const { address } = this.#link;
    if (this.#answersInLines) {
      return new TransportError("unavailable", `${address} left messages of a batch without an answer`, {
        outcome: "unknown",
      });
    }
    try {
      readAnswer({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) }, address);
      return strangeAnswer(this.#status, this.#headers, address);
    } catch (thrown) {
      return toParleyError(thrown);
    }
  }

  #fail(error: ParleyError): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.fail(error);
  }

  #release(): void {
    this.#link.ended();
    if (this.#client) this.#link.sockets.give(this.#client);
    this.#client = undefined;
  }
}

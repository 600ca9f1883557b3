import {
  type AnswerHeaders,
  dispatchError,
  essenceOf,
  GatheredAnswer,
  HeldSocket,
  headerOf,
  type Link,
  mediaTypes,
  type ResponseController,
  type ResponseHandler,
  readAnswer,
  strangeAnswer,
  understood,
} from "@parley/core/http/client";
import { decode, type ParleyError, TransportError, toParleyError } from "@parley/core/transport";
import { LineReader } from "../wire/line-reader.ts";
import type { BatchedCall, Carrier } from "./batched-call.ts";

const GIVEN_UP = new Error("the calls were given up");

/** One request with several messages, answered line by line in any order. */
export class BatchRequest implements ResponseHandler, Carrier {
  readonly #link: Link;
  /** By the id of their opener; those that are not over. */
  readonly #calls: Map<string, BatchedCall>;
  readonly #cancel: (call: BatchedCall) => void;
  readonly #lines: LineReader;
  readonly #socket: HeldSocket;
  /** Instead of lines. */
  readonly #answer: GatheredAnswer;
  #controller: ResponseController | undefined;
  #answersInLines = false;

  /**
   * @param calls by the id of their opener; the request's own from now on.
   * @param cancel tells the peer that it need not go on with a call, while others go on.
   */
  constructor(link: Link, calls: Map<string, BatchedCall>, cancel: (call: BatchedCall) => void) {
    this.#link = link;
    this.#calls = calls;
    this.#cancel = cancel;
    this.#lines = new LineReader(link.limits.maxMessageBytes);
    this.#socket = new HeldSocket(link);
    this.#answer = new GatheredAnswer(link);
  }

  get started(): boolean {
    return this.#controller !== undefined;
  }

  /** Sends the events, whose texts are given. */
  start(events: readonly string[]): void {
    const { base, headers } = this.#link;
    for (const call of this.#calls.values()) call.begin(this);
    const path = base === "" ? "/" : base;
    this.#socket.dispatch(
      { path, method: "POST", headers: ["content-type", mediaTypes.events, ...headers], body: events.join("\n") },
      this,
    );
  }

  givenUp(call: BatchedCall): void {
    this.#calls.delete(call.message.id);
    if (this.#calls.size === 0) this.#controller?.abort(GIVEN_UP);
    else this.#cancel(call);
  }

  onRequestStart(controller: ResponseController): void {
    this.#controller = controller;
  }

  onResponseStart(_controller: ResponseController, status: number, headers: AnswerHeaders): void {
    this.#link.heard();
    if (status < 200) return;
    this.#answer.begin(status, headers);
    this.#answersInLines = status === 200 && essenceOf(headerOf(headers, "content-type")) === mediaTypes.events;
  }

  onResponseData(controller: ResponseController, chunk: Uint8Array): void {
    this.#link.heard();
    try {
      if (this.#answersInLines) this.#lines.read(chunk, (line) => this.#answered(line));
      else this.#answer.take(chunk);
    } catch (thrown) {
      this.#fail(toParleyError(thrown));
      controller.abort(GIVEN_UP);
    }
  }

  onResponseEnd(): void {
    this.#socket.release();
    if (this.#calls.size > 0) this.#fail(this.#missing());
  }

  onResponseError(_controller: ResponseController, failure: Error): void {
    this.#socket.release();
    this.#fail(dispatchError(failure, this.started, this.#link.address));
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
    const answer = this.#answer.end();
    try {
      readAnswer(answer, address);
      return strangeAnswer(answer.status, answer.headers, address);
    } catch (thrown) {
      return toParleyError(thrown);
    }
  }

  #fail(error: ParleyError): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.fail(error);
  }
}

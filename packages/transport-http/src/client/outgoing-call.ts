import {
  type AbortListener,
  type Call,
  type Envelope,
  encode,
  ParleyError,
  type Reply,
  TransportError,
  timeLeft,
  toParleyError,
  withOutcome,
} from "@parley/core/transport";
import type { Client, Dispatcher } from "undici";
import { essenceOf, mediaTypes } from "../wire/media-type.ts";
import type { ItemSource } from "../wire/paced-items.ts";
import { type AnswerHeaders, headerOf, readAnswer } from "./answer.ts";
import { dispatchError } from "./dispatch-error.ts";
import type { Link, OpenCall, Settle } from "./link.ts";
import { checkAnswerSize, checkSize } from "./size.ts";
import { StreamAnswer } from "./stream-answer.ts";
import { Upload } from "./upload.ts";

/** What undici is told when a call was given up; made once, because nobody sees it. */
const GIVEN_UP = new Error("the call was given up");

const NOTHING: Reply = {};

/** A call that this side makes: one request, and its answer. Opened → accepted (streams) → over. */
export class OutgoingCall implements Dispatcher.DispatchHandler, AbortListener, ItemSource, OpenCall {
  place = -1;
  readonly #link: Link;
  readonly #call: Call;
  readonly #settle: Settle;
  #client: Client | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #upload: Upload | undefined;
  /** Nothing more is told to the caller. */
  #over = false;
  #heard = false;
  #silentRounds = 0;
  #status = 0;
  #headers: AnswerHeaders = {};
  /** Of an answer that is one message. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #stream: StreamAnswer | undefined;

  constructor(link: Link, call: Call, settle: Settle) {
    this.#link = link;
    this.#call = call;
    this.#settle = settle;
  }

  /** Sends the request, or as much of it as there is. @throws ParleyError when nothing was sent */
  start(): void {
    const { sockets, base, runtime } = this.#link;
    const { message, input } = this.#call;
    const opener = encode(message, { timeoutms: timeLeft(this.#call, runtime) });
    checkSize(opener, this.#link, "not-sent");
    this.#link.began(this);
    this.#link.requestBegan();
    this.#call.onAbort(this);
    if (input) this.#upload = this.#uploadOf(input, opener);
    this.#client = sockets.take();
    this.#client.dispatch(
      {
        path: `${base}/${encodeURIComponent(message.type)}`,
        method: "POST",
        headers: this.#requestHeaders(),
        // undici takes any async iterable, which its types leave out.
        body: (this.#upload ?? opener) as string,
      },
      this,
    );
  }

  lost(error: ParleyError): void {
    this.#breakOff(withOutcome(error, this.#controller ? "unknown" : "not-sent"));
  }

  /** A stream that has shown no sign of life for two heartbeats, though it should at every one, is lost. */
  checkSilence(heartbeatMs: number): boolean {
    const silent = !this.#heard;
    this.#heard = false;
    if (this.#status === 0) return silent;
    if (!silent || !this.#stream || this.#stream.items.paused) this.#silentRounds = 0;
    else if (++this.#silentRounds >= 2) {
      const message = `${this.#link.address} has been silent for ${2 * heartbeatMs} ms in the middle of a stream`;
      this.lost(new TransportError("unavailable", message));
    }
    return false;
  }

  callAborted(reason: ParleyError): void {
    this.#giveUp(this.#controller ? reason : withOutcome(reason, "not-sent"));
  }

  // What undici tells.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(GIVEN_UP);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    this.#hear();
    if (status < 200 || this.#over) return;
    this.#status = status;
    this.#headers = headers;
    const { address, limits } = this.#link;
    if (headerOf(headers, "content-encoding") !== undefined) {
      const message = `${address} answered with a content-encoding that was not asked for`;
      return this.#breakOff(new ParleyError("internal", message, { outcome: "unknown" }));
    }
    if (status === 200 && this.#wantsStream && essenceOf(headerOf(headers, "content-type")) === mediaTypes.events) {
      this.#stream = new StreamAnswer({
        source: this,
        maxLineBytes: limits.maxMessageBytes,
        address,
        ended: () => this.#finish(),
      });
      return this.#settle.resolve({ output: this.#stream.items.queue });
    }
    this.#attempt(() => checkAnswerSize(Number(headerOf(headers, "content-length") ?? 0), this.#link));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#hear();
    if (this.#over) return;
    this.#attempt(() => {
      if (this.#stream) return this.#stream.read(chunk);
      this.#bytes += chunk.length;
      checkAnswerSize(this.#bytes, this.#link);
      this.#chunks.push(chunk);
    });
  }

  onResponseEnd(): void {
    this.#release();
    if (this.#over) return;
    const { address } = this.#link;
    try {
      if (this.#stream) {
        throw new TransportError("unavailable", `the stream of ${address} stopped without an end event`, {
          outcome: "unknown",
        });
      }
      const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
      this.#answered(readAnswer({ status: this.#status, headers: this.#headers, body }, address));
    } catch (thrown) {
      this.#fail(toParleyError(thrown));
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, failure: Error): void {
    this.#release();
    if (!this.#over) this.#fail(dispatchError(failure, this.#controller !== undefined, this.#link.address));
  }

  // What the output's reader tells.

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abandoned(): void {
    if (this.#over) return;
    this.#finish();
    this.#hangUp();
  }

  get #wantsStream(): boolean {
    const { kind } = this.#call;
    return kind === "server-stream" || kind === "bidi-stream" || kind === "subscribe";
  }

  #requestHeaders(): string[] {
    const { message, input } = this.#call;
    const headers = ["content-type", input ? mediaTypes.events : mediaTypes.structured, ...this.#link.headers];
    if (message.traceparent === undefined) return headers;
    headers.push("traceparent", message.traceparent);
    if (message.tracestate !== undefined) headers.push("tracestate", message.tracestate);
    return headers;
  }

  #uploadOf(input: AsyncIterable<Envelope>, openerLine: string): Upload {
    return new Upload(input, {
      opener: this.#call.message,
      openerLine,
      runtime: this.#link.runtime,
      checkSize: (line) => checkSize(line, this.#link, "unknown"),
      failed: (error) => this.#giveUp(error),
    });
  }

  #answered(message: Envelope | undefined): void {
    const { kind, message: opener } = this.#call;
    const oneWay = kind === "notify" || kind === "publish";
    if (!oneWay && (!message || this.#wantsStream)) {
      const gave = message ? "one message instead of a stream" : "no answer";
      throw new ParleyError("internal", `${this.#link.address} took the ${kind} of ${opener.type}, but gave ${gave}`, {
        outcome: "unknown",
      });
    }
    this.#finish();
    this.#settle.resolve(message && !oneWay ? { message } : NOTHING);
  }

  /** Reads the answer; if it is not what it should be, the peer may still have acted. */
  #attempt(read: () => void): void {
    try {
      read();
    } catch (thrown) {
      this.#breakOff(withOutcome(toParleyError(thrown), "unknown"));
    }
  }

  /** The caller wants no more: told first, and what has arrived is dropped. */
  #giveUp(reason: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    if (this.#stream) this.#stream.items.queue.abort(reason);
    else this.#settle.reject(reason);
    this.#hangUp();
  }

  #breakOff(error: ParleyError): void {
    this.#fail(error);
    this.#hangUp();
  }

  #fail(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    if (this.#stream) this.#stream.items.queue.fail(error);
    else this.#settle.reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#link.settled(this);
    this.#call.offAbort(this);
    this.#upload?.stop();
  }

  /** Closes the request, which tells the peer. Undici answers at once, with {@link onResponseError}. */
  #hangUp(): void {
    this.#controller?.abort(GIVEN_UP);
  }

  #release(): void {
    this.#link.ended();
    if (this.#client) this.#link.sockets.give(this.#client);
    this.#client = undefined;
  }

  #hear(): void {
    this.#heard = true;
    this.#link.heard();
  }
}

import {
  type AbortListener,
  type Call,
  type Envelope,
  encode,
  type ItemSource,
  ParleyError,
  type Reply,
  TransportError,
  timeLeft,
  toParleyError,
  withOutcome,
} from "../../transport/index.ts";
import { essenceOf } from "../wire/media-type.ts";
import { headerOf, readAnswer } from "./answer.ts";
import { dispatchError } from "./dispatch-error.ts";
import { sayFarewell } from "./farewell.ts";
import { GatheredAnswer } from "./gathered-answer.ts";
import { HeldSocket } from "./held-socket.ts";
import type { Link, OpenCall, Settle } from "./link.ts";
import { openerRequest } from "./opener-request.ts";
import type { ResumableStream, Resumption } from "./resumption.ts";
import { checkAnswerSize, checkSize } from "./size.ts";
import type { AnswerHeaders, ResponseController, ResponseHandler } from "./socket.ts";
import { StreamAnswer } from "./stream-answer.ts";
import { Uplink } from "./uplink.ts";
import type { UploadBody } from "./upload-body.ts";

/** What undici is told when a call was given up; made once, because nobody sees it. */
const GIVEN_UP = new Error("the call was given up");

const NOTHING: Reply = {};

/** A call that this side makes: one request, and its answer. Opened → accepted (streams) → over. */
export class OutgoingCall implements ResponseHandler, ResumableStream, AbortListener, ItemSource, OpenCall {
  place = -1;
  readonly #link: Link;
  readonly #call: Call;
  readonly #settle: Settle;
  readonly #uplink: boolean;
  readonly #socket: HeldSocket;
  readonly #answer: GatheredAnswer;
  #controller: ResponseController | undefined;
  #upload: UploadBody | undefined;
  #resumption: Resumption | undefined;
  /** The caller has what it called for, or its first part. */
  #accepted = false;
  /** Nothing more is told to the caller. */
  #over = false;
  #heard = false;
  #silentRounds = 0;
  #stream: StreamAnswer | undefined;

  /** @param uplink whether the caller's items go by requests of their own. */
  constructor(link: Link, call: Call, settle: Settle, uplink: boolean = link.wire.upload === undefined) {
    this.#uplink = uplink && call.input !== undefined;
    this.#link = link;
    this.#call = call;
    this.#settle = settle;
    this.#socket = new HeldSocket(link);
    this.#answer = new GatheredAnswer(link);
  }

  /** Sends the request, or as much of it as there is. @throws ParleyError when nothing was sent */
  start(): void {
    const { message, input } = this.#call;
    const opener = encode(message, { timeoutms: timeLeft(this.#call, this.#link.runtime) });
    checkSize(opener, this.#link, "not-sent");
    this.#link.began(this);
    this.#call.onAbort(this);
    if (input && !this.#uplink) this.#upload = this.#uploadOf(input, opener);
    this.#socket.dispatch(openerRequest(this.#link, this.#call, this.#upload ?? opener), this);
  }

  lost(error: ParleyError): void {
    this.#breakOff(withOutcome(error, this.#controller ? "unknown" : "not-sent"));
  }

  /** A stream that has shown no sign of life for two heartbeats, though it should at every one, is lost. */
  checkSilence(heartbeatMs: number): boolean {
    const silent = !this.#heard;
    this.#heard = false;
    if (this.#answer.status === 0) return silent;
    if (!silent || !this.#stream || this.#stream.items.paused) this.#silentRounds = 0;
    else if (++this.#silentRounds >= 2) {
      const message = `${this.#link.address} has been silent for ${2 * heartbeatMs} ms in the middle of a stream`;
      const error = new TransportError("unavailable", message, { outcome: "unknown" });
      if (!this.#link.wire.resume || this.position === "") this.lost(error);
      else {
        this.#silentRounds = 0;
        this.#controller?.abort(error);
      }
    }
    return false;
  }

  callAborted(reason: ParleyError): void {
    this.#giveUp(this.#controller ? reason : withOutcome(reason, "not-sent"));
  }

  // What undici tells.

  onRequestStart(controller: ResponseController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(GIVEN_UP);
  }

  onResponseStart(_controller: ResponseController, status: number, headers: AnswerHeaders): void {
    this.#hear();
    if (status < 200 || this.#over) return;
    this.#answer.begin(status, headers);
    const { address, limits } = this.#link;
    if (headerOf(headers, "content-encoding") !== undefined) {
      const message = `${address} answered with a content-encoding that was not asked for`;
      return this.#breakOff(new ParleyError("internal", message, { outcome: "unknown" }));
    }
    if (this.#isStream(status, headers)) return this.#begin(limits.maxMessageBytes);
    this.#attempt(() => checkAnswerSize(Number(headerOf(headers, "content-length") ?? 0), this.#link));
  }

  onResponseData(_controller: ResponseController, chunk: Uint8Array): void {
    this.#hear();
    if (this.#over) return;
    this.#attempt(() => {
      if (this.#stream) this.#stream.read(chunk);
      else this.#answer.take(chunk);
    });
  }

  onResponseEnd(): void {
    this.#socket.release();
    if (this.#over) return;
    const { address } = this.#link;
    try {
      if (this.#stream) return this.#cut(stopped(address));
      this.#answered(readAnswer(this.#answer.end(), address));
    } catch (thrown) {
      this.#fail(toParleyError(thrown));
    }
  }

  onResponseError(_controller: ResponseController, failure: Error): void {
    this.#socket.release();
    if (this.#over) return;
    const error = dispatchError(failure, this.#controller !== undefined, this.#link.address);
    if (this.#stream) this.#cut(error);
    else this.#fail(error);
  }

  // What the taking up of a stream tells.

  get type(): string {
    return this.#call.message.type;
  }

  get position(): string {
    return this.#stream?.position ?? "";
  }

  get over(): boolean {
    return this.#over;
  }

  reattached(controller: ResponseController, status: number, headers: AnswerHeaders): boolean {
    this.#hear();
    if (!this.#isStream(status, headers)) return false;
    this.#controller = controller;
    this.#silentRounds = 0;
    this.#stream?.restart();
    if (this.#stream?.items.paused) controller.pause();
    return true;
  }

  read(chunk: Uint8Array): void {
    this.#hear();
    if (!this.#over) this.#attempt(() => this.#stream?.read(chunk));
  }

  fail(error: ParleyError): void {
    this.#breakOff(error);
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
    this.#farewell("cancelled");
    this.#hangUp();
  }

  get #wantsStream(): boolean {
    const { kind } = this.#call;
    return kind === "server-stream" || kind === "bidi-stream" || kind === "subscribe";
  }

  #uploadOf(input: AsyncIterable<Envelope>, openerLine: string): UploadBody | undefined {
    return this.#link.wire.upload?.({
      input,
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

  #isStream(status: number, headers: AnswerHeaders): boolean {
    if (status !== 200 || (!this.#wantsStream && !this.#uplink)) return false;
    return essenceOf(headerOf(headers, "content-type")) === this.#link.wire.streamType;
  }

  /** The head of a stream's answer has come. It accepts the call, unless the caller's items are waited for. */
  #begin(maxLineBytes: number): void {
    const { wire, address } = this.#link;
    this.#stream = new StreamAnswer({
      source: this,
      wire,
      maxLineBytes,
      address,
      replied: (message) => this.#replied(message),
      begun: () => this.#accept(),
      ended: (error) => this.#ended(error),
    });
    const { input, message } = this.#call;
    if (!this.#uplink) this.#accept();
    else if (input) this.#upload = new Uplink(this.#link, message, input, (error) => this.#giveUp(error));
  }

  #accept(): void {
    if (this.#accepted || !this.#stream) return;
    this.#accepted = true;
    this.#settle.resolve({ output: this.#stream.items.queue });
  }

  #replied(message: Envelope): void {
    if (this.#wantsStream) return this.#accept();
    this.#answered(message);
  }

  #ended(error: ParleyError | undefined): void {
    this.#finish();
    if (!this.#accepted && error) this.#settle.reject(error);
  }

  /** The answer was cut before its end. */
  #cut(error: ParleyError): void {
    if (this.#accepted && this.position !== "") {
      this.#resumption ??= this.#link.wire.resume?.(this.#link, this);
      if (this.#resumption) return this.#resumption.start(error);
    }
    this.#fail(error);
  }

  #farewell(code: string): void {
    if (this.#controller) sayFarewell(this.#link, this.#call, code);
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
    if (this.#accepted) this.#stream?.items.queue.abort(reason);
    else this.#settle.reject(reason);
    this.#farewell(reason.code);
    this.#hangUp();
  }

  #breakOff(error: ParleyError): void {
    if (this.#over) return;
    this.#fail(error);
    this.#farewell(error.code);
    this.#hangUp();
  }

  #fail(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    if (this.#accepted) this.#stream?.items.queue.fail(error);
    else this.#settle.reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#link.settled(this);
    this.#call.offAbort(this);
    this.#upload?.stop();
    this.#resumption?.stop();
  }

  /** Closes the request, which tells the peer. Undici answers at once, with {@link onResponseError}. */
  #hangUp(): void {
    this.#controller?.abort(GIVEN_UP);
  }

  #hear(): void {
    this.#heard = true;
    this.#link.heard();
  }
}

function stopped(address: string): ParleyError {
  return new TransportError("unavailable", `the stream of ${address} stopped without an end event`, {
    outcome: "unknown",
  });
}

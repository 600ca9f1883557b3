import {
  type AbortListener,
  type Call,
  type DeadlineListener,
  type ParleyError,
  type Runtime,
  TransportError,
  type WatchedDeadline,
  withOutcome,
} from "../../transport/index.ts";
import { headerOf } from "../client/answer.ts";
import { dispatchError } from "../client/dispatch-error.ts";
import type { AnswerHeaders, HttpRequest, ResponseController, ResponseHandler } from "../client/socket.ts";
import { AnswerBody, type AnswerBodySource } from "./answer-body.ts";
import type { RequestSettings } from "./settings.ts";
import type { Lease } from "./socket-pool.ts";
import type { UploadStream } from "./upload-stream.ts";

/** What an {@link Exchange} is made from. */
export interface ExchangeInit {
  readonly lease: Lease;
  /** Gives the request up until the head of the answer has come. */
  readonly attempt: Call;
  /** Gives the answer up after that. */
  readonly call: Call;
  readonly address: string;
  readonly method: string;
  readonly settings: RequestSettings;
  readonly runtime: Runtime;
  /** The request's body, where it is a stream. */
  readonly upload: UploadStream | undefined;
  /** Nothing more will come of it. */
  readonly over: () => void;
}

/** The head of an answer, and where its body comes in. */
export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  readonly body: AnswerBody;
}

const GIVEN_UP = new Error("the request was given up");

/** One request on one socket, and its answer. */
export class Exchange implements ResponseHandler, AbortListener, DeadlineListener, AnswerBodySource {
  readonly #init: ExchangeInit;
  readonly #head = Promise.withResolvers<AnswerHead>();
  #controller: ResponseController | undefined;
  #watched: WatchedDeadline | undefined;
  #body: AnswerBody | undefined;
  /** For whoever made the request; the socket may not have heard of it yet. */
  #over = false;

  constructor(init: ExchangeInit) {
    this.#init = init;
  }

  /** Sends the request; resolves with the head of the answer. @throws ParleyError why there is none */
  start(request: HttpRequest): Promise<AnswerHead> {
    const { lease, attempt } = this.#init;
    attempt.onAbort(this);
    if (!this.#over) lease.socket.dispatch(request, this);
    return this.#head.promise;
  }

  // What undici tells.

  onRequestStart(controller: ResponseController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(GIVEN_UP);
    else this.#watch();
  }

  onBodySent(): void {
    if (!this.#over && !this.#body) this.#watch();
  }

  onResponseStart(_controller: ResponseController, status: number, headers: AnswerHeaders, statusText = ""): void {
    if (status < 200 || this.#over) return;
    const { attempt, call, address, method, settings, runtime } = this.#init;
    const { maxResponseBytes: maxBytes, bodyTimeoutMs: timeoutMs } = settings;
    this.#unwatch();
    attempt.offAbort(this);
    const body = new AnswerBody({ address, maxBytes, timeoutMs, runtime, source: this });
    this.#body = body;
    this.#head.resolve({ status, statusText, headers, body });
    call.onAbort(this);
    // An answer without a body may say how long it would be (RFC 9110, 8.6).
    if (method !== "HEAD" && status !== 304) body.announced(Number(headerOf(headers, "content-length") ?? 0));
  }

  onResponseData(_controller: ResponseController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#init.lease.give();
    if (this.#over) return;
    this.#finish();
    this.#body?.end();
  }

  onResponseError(_controller: ResponseController, failure: Error): void {
    this.#init.lease.give();
    const { upload, address } = this.#init;
    this.#fail(upload?.failure ?? dispatchError(failure, this.#controller !== undefined, address));
  }

  // What the clock, the call and the reader tell.

  /** No head in time. */
  onDeadline(): void {
    const { address, settings } = this.#init;
    const { headersTimeoutMs } = settings;
    const message = `${address} has not begun to answer within ${headersTimeoutMs} ms of the last byte sent`;
    this.#breakOff(new TransportError("deadline_exceeded", message, { outcome: "unknown" }));
  }

  callAborted(reason: ParleyError): void {
    this.#breakOff(this.#controller ? reason : withOutcome(reason, "not-sent"));
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  giveUp(): void {
    if (this.#over) return;
    this.#finish();
    this.#hangUp();
  }

  #breakOff(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    this.#head.reject(error);
    this.#body?.abort(error);
    this.#hangUp();
  }

  #fail(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    this.#head.reject(error);
    this.#body?.fail(error);
  }

  #finish(): void {
    const { attempt, call, upload, over } = this.#init;
    this.#over = true;
    this.#unwatch();
    attempt.offAbort(this);
    call.offAbort(this);
    upload?.stop();
    over();
  }

  /** Closes the connection, also one that is still being opened; undici answers the former at once, with {@link onResponseError}. */
  #hangUp(): void {
    if (this.#controller) this.#controller.abort(GIVEN_UP);
    else this.#init.lease.drop();
  }

  #watch(): void {
    const { runtime, settings } = this.#init;
    this.#unwatch();
    this.#watched = runtime.deadlines.add(runtime.now() + settings.headersTimeoutMs, this);
  }

  #unwatch(): void {
    if (this.#watched) this.#init.runtime.deadlines.remove(this.#watched);
    this.#watched = undefined;
  }
}

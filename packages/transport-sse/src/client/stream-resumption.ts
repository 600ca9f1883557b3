import {
  type AnswerHeaders,
  dispatchError,
  HeldSocket,
  type Link,
  type ResponseController,
  type ResponseHandler,
  type ResumableStream,
  type Resumption,
  strangeAnswer,
} from "@parley/core/http/client";
import { type CancelTimer, ParleyError, TransportError } from "@parley/core/transport";
import { EVENT_STREAM } from "../event-stream.ts";

/** The wait before the second attempt; doubled for each one after it, up to the last. ms */
const FIRST_DELAY_MS = 50;
const LAST_DELAY_MS = 2_000;

/** What undici is told when a stream was given up. */
const GIVEN_UP = new Error("the stream was given up");

/** Takes up a stream with `Last-Event-ID`, again and again until the window has passed since it was cut. */
export class StreamResumption implements Resumption {
  readonly #link: Link;
  readonly #stream: ResumableStream;
  readonly #windowMs: number;
  #cutAt: number | undefined;
  #delayMs = 0;
  #cancelTimer: CancelTimer | undefined;
  #attempt: Attempt | undefined;

  constructor(link: Link, stream: ResumableStream, windowMs: number) {
    this.#link = link;
    this.#stream = stream;
    this.#windowMs = windowMs;
  }

  start(cause: ParleyError): void {
    const { runtime, address } = this.#link;
    this.#cutAt ??= runtime.now();
    const left = this.#cutAt + this.#windowMs - runtime.now();
    if (left <= 0) {
      return this.#stream.fail(
        new ParleyError(
          "data_loss",
          `the stream of ${address} was cut and could not be taken up within ${this.#windowMs} ms; what came meanwhile is lost`,
          { outcome: "unknown", cause },
        ),
      );
    }
    this.#cancelTimer = runtime.setTimer(() => this.#try(), Math.min(this.#jittered(), left));
    this.#delayMs = Math.min(Math.max(this.#delayMs * 2, FIRST_DELAY_MS), LAST_DELAY_MS);
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#attempt?.stop();
  }

  /** Half of the delay by chance, so that those who were cut together do not come back together. */
  #jittered(): number {
    const chance = new Uint8Array(1);
    this.#link.runtime.randomBytes(chance);
    return this.#delayMs * (0.5 + (chance[0] as number) / 512);
  }

  #try(): void {
    this.#attempt = new Attempt(this.#link, this.#stream, {
      attached: () => {
        this.#cutAt = undefined;
        this.#delayMs = 0;
      },
      cut: (cause) => this.start(cause),
    });
    this.#attempt.start();
  }
}

/** What one attempt tells. */
interface AttemptEvents {
  /** The stream goes on. */
  readonly attached: () => void;
  /** It is cut, or was not reached. */
  readonly cut: (cause: ParleyError) => void;
}

class Attempt implements ResponseHandler {
  readonly #link: Link;
  readonly #stream: ResumableStream;
  readonly #events: AttemptEvents;
  readonly #socket: HeldSocket;
  #controller: ResponseController | undefined;
  #attached = false;
  #stopped = false;
  #refusal: ParleyError | undefined;

  constructor(link: Link, stream: ResumableStream, events: AttemptEvents) {
    this.#link = link;
    this.#stream = stream;
    this.#events = events;
    this.#socket = new HeldSocket(link);
  }

  start(): void {
    const { base, headers } = this.#link;
    this.#socket.dispatch(
      {
        path: `${base}/${encodeURIComponent(this.#stream.type)}`,
        method: "GET",
        headers: ["accept", EVENT_STREAM, "last-event-id", this.#stream.position, ...headers],
      },
      this,
    );
  }

  /** Nobody wants it: an answer that has not begun is not waited for. */
  stop(): void {
    this.#stopped = true;
    if (!this.#attached) this.#controller?.abort(GIVEN_UP);
  }

  onRequestStart(controller: ResponseController): void {
    this.#controller = controller;
    if (this.#stopped) controller.abort(GIVEN_UP);
  }

  onResponseStart(controller: ResponseController, status: number, headers: AnswerHeaders): void {
    if (status < 200 || this.#stopped) return;
    if (this.#stream.reattached(controller, status, headers)) {
      this.#attached = true;
      this.#events.attached();
    } else this.#refusal = strangeAnswer(status, headers, this.#link.address);
  }

  onResponseData(_controller: ResponseController, chunk: Uint8Array): void {
    if (this.#attached) this.#stream.read(chunk);
  }

  onResponseEnd(): void {
    this.#socket.release();
    if (this.#stream.over) return;
    const { address } = this.#link;
    if (!this.#refusal) this.#events.cut(new TransportError("unavailable", `the stream of ${address} was cut again`));
    // A proxy says so while the peer is away.
    else if (this.#refusal.code === "unavailable") this.#events.cut(this.#refusal);
    else this.#stream.fail(this.#refusal);
  }

  onResponseError(_controller: ResponseController, failure: Error): void {
    // Before the socket is free: undici bears no request on it that is made while it tells of an error.
    if (!this.#stream.over) this.#events.cut(dispatchError(failure, true, this.#link.address));
    this.#socket.release();
  }
}

import {
  type AnswerHeaders,
  dispatchError,
  essenceOf,
  HeldSocket,
  headerOf,
  type Link,
  mediaTypes,
  post,
  type ResponseController,
  type ResponseHandler,
  strangeAnswer,
} from "@parley/core/http/client";
import {
  type Channel,
  type ChannelEvents,
  type ParleyError,
  TransportError,
  toParleyError,
} from "@parley/core/transport";
import { CHANNEL, SESSION_HEADER } from "../channel-type.ts";
import { EVENT_STREAM, readPosition } from "../event-stream.ts";
import { eventReader } from "./event-reader.ts";

/** Characters that wait before the channel asks for no more. */
const HIGH_WATER_CHARS = 64 * 1024;

/** Frames in one request. */
const MAX_FRAMES = 256;

const CLOSED = new Error("the channel was closed");

/** A channel whose frames come as events of one answer, and leave by requests, one at a time with all that has piled up. */
export class UplinkChannel implements Channel, ResponseHandler {
  readonly #link: Link;
  readonly #events: ChannelEvents;
  readonly #reader;
  readonly #named: (session: string) => void;
  #session: string | undefined;
  readonly #socket: HeldSocket;
  #controller: ResponseController | undefined;
  #queue: string[] = [];
  #chars = 0;
  #sending = false;
  #full = false;
  #closing = false;
  #over = false;
  #reading = false;

  /** @param named the peer has given the channel its name. */
  constructor(link: Link, events: ChannelEvents, named: (session: string) => void) {
    this.#link = link;
    this.#events = events;
    this.#named = named;
    this.#reader = eventReader(link.limits.maxMessageBytes, (text) => events.frame(text));
    this.#socket = new HeldSocket(link);
    this.#socket.dispatch(
      {
        path: `${link.base}/${CHANNEL}`,
        method: "GET",
        headers: ["accept", EVENT_STREAM, ...link.headers],
      },
      this,
    );
  }

  write(frames: readonly string[]): boolean {
    for (const frame of frames) {
      this.#queue.push(frame);
      this.#chars += frame.length + 1;
    }
    this.#flush();
    this.#full = this.#chars >= HIGH_WATER_CHARS;
    return !this.#full;
  }

  close(reason?: ParleyError): void {
    this.#closing = true;
    if (reason || (!this.#sending && this.#queue.length === 0)) this.#end(undefined);
  }

  onRequestStart(controller: ResponseController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(CLOSED);
  }

  onResponseStart(controller: ResponseController, status: number, headers: AnswerHeaders): void {
    if (status < 200 || this.#over) return;
    this.#reading = status === 200 && essenceOf(headerOf(headers, "content-type")) === EVENT_STREAM;
    if (this.#reading) return;
    this.#end(strangeAnswer(status, headers, this.#link.address));
    controller.abort(CLOSED);
  }

  onResponseData(_controller: ResponseController, chunk: Uint8Array): void {
    if (!this.#reading || this.#over) return;
    this.#link.heard();
    try {
      this.#reader.read(chunk);
      this.#findName();
    } catch (thrown) {
      this.#end(toParleyError(thrown));
    }
  }

  onResponseEnd(): void {
    this.#socket.release();
    this.#end(undefined);
  }

  onResponseError(_controller: ResponseController, failure: Error): void {
    this.#socket.release();
    this.#end(dispatchError(failure, true, this.#link.address));
  }

  #findName(): void {
    if (this.#session !== undefined) return;
    this.#session = readPosition(this.#reader.position ?? "")?.session;
    if (this.#session === undefined) return;
    this.#named(this.#session);
    this.#flush();
  }

  #flush(): void {
    if (this.#sending || this.#session === undefined || this.#queue.length === 0 || this.#over) return;
    this.#sending = true;
    // What else is written in this turn goes along.
    this.#link.runtime.defer(() => this.#send(this.#session as string));
  }

  async #send(session: string): Promise<void> {
    const { base, headers, wire, address } = this.#link;
    try {
      while (this.#queue.length > 0 && !this.#over) {
        const frames = this.#queue.splice(0, MAX_FRAMES);
        for (const frame of frames) this.#chars -= frame.length + 1;
        const answer = await post(this.#link, {
          path: `${base}/${CHANNEL}`,
          method: "POST",
          headers: ["content-type", mediaTypes.events, SESSION_HEADER, session, ...wire.accept, ...headers],
          body: frames.join("\n"),
        });
        if (answer.status !== 202) throw strangeAnswer(answer.status, answer.headers, address);
        if (!this.#full || this.#chars >= HIGH_WATER_CHARS) continue;
        this.#full = false;
        this.#events.drain();
      }
    } catch (thrown) {
      this.#end(toParleyError(thrown));
    } finally {
      this.#sending = false;
    }
    if (this.#closing) this.#end(undefined);
  }

  #end(cause: ParleyError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(CLOSED);
    this.#events.closed(
      this.#closing ? undefined : (cause ?? new TransportError("unavailable", "the channel was cut")),
    );
  }
}

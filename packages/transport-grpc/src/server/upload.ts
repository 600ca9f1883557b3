import type { ServerDuplexStream, ServerReadableStream } from "@grpc/grpc-js";
import {
  type DeadlineListener,
  type ItemSource,
  PacedItems,
  ParleyError,
  TransportError,
  toParleyError,
  type WatchedDeadline,
} from "@parley/core/transport";
import { SeqCheck } from "../wire/seq-check.ts";
import type { Desk } from "./desk.ts";
import { deadlineOf, decodeSized, readOpener } from "./opener.ts";
import type { Outlet } from "./outlet.ts";
import { presentedIn } from "./presented-in.ts";
import { refuse } from "./refuse.ts";
import { ServedCall } from "./served-call.ts";

/** Time for the event that opens the call. */
const OPENER_TIMEOUT_MS = 10_000;

/** A stream from the caller: the event that opens the call, then items. Serves the call as soon as the opener is there. */
export class Upload implements ItemSource, DeadlineListener {
  readonly #desk: Desk;
  readonly #kind: "client-stream" | "bidi-stream";
  readonly #stream: ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
  readonly #outlet: Outlet;
  readonly #input = new PacedItems(this);
  readonly #seq = new SeqCheck();
  readonly #watched: WatchedDeadline;
  #served: ServedCall | undefined;
  /** Nothing more of the stream counts. */
  #over = false;

  constructor(
    desk: Desk,
    kind: "client-stream" | "bidi-stream",
    stream: ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>,
    outlet: Outlet,
  ) {
    this.#desk = desk;
    this.#kind = kind;
    this.#stream = stream;
    this.#outlet = outlet;
    this.#watched = desk.runtime.deadlines.add(desk.runtime.now() + OPENER_TIMEOUT_MS, this);
    stream.on("data", (bytes: Buffer) => this.#data(bytes));
    // A stream that is broken off ends, too, and is said to be cancelled a moment later.
    stream.on("end", () => desk.runtime.nextTurn(() => this.#ended()));
    stream.on("cancelled", () => this.#left());
    // A read that fails has a status already.
    stream.on("error", () => {});
  }

  pause(): void {
    if (!this.#over) this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The handler reads no more; the call goes on, and what still comes is read and dropped. */
  abandoned(): void {
    this.#over = true;
    this.#stream.resume();
  }

  /** The opener has not come. */
  onDeadline(): void {
    this.#refuse(
      new TransportError("deadline_exceeded", "the event that opens the call did not arrive in time", {
        outcome: "not-sent",
      }),
    );
  }

  #data(bytes: Buffer): void {
    if (this.#over || this.#served?.over) return;
    const { limits } = this.#desk;
    try {
      if (!this.#served) return this.#open(bytes);
      const item = decodeSized(bytes, limits.maxMessageBytes);
      if (item.kind !== undefined && item.kind !== "item") {
        throw new ParleyError(
          "invalid_argument",
          `the caller of a ${this.#kind} sends items, not a message of kind ${item.kind}`,
        );
      }
      this.#seq.next(item);
      this.#input.push(item, bytes.length);
    } catch (thrown) {
      const error = toParleyError(thrown);
      if (!this.#served) return this.#refuse(error);
      this.#over = true;
      this.#served.abandon(error);
    }
  }

  #open(bytes: Buffer): void {
    const { runtime, limits } = this.#desk;
    const stream = this.#stream;
    const message = readOpener(bytes, this.#kind, stream.metadata, limits.maxMessageBytes);
    runtime.deadlines.remove(this.#watched);
    this.#served = new ServedCall(this.#desk, {
      kind: this.#kind,
      message,
      peer: stream.getPeer(),
      presented: presentedIn(stream.metadata),
      deadline: deadlineOf(message, stream.getDeadline(), this.#desk),
      outlet: this.#outlet,
      input: this.#input.queue,
    });
    this.#served.run();
  }

  #ended(): void {
    if (this.#over) return;
    if (this.#served) this.#input.queue.end();
    else
      this.#refuse(
        new ParleyError("invalid_argument", "the stream has no first message, which is the event that opens the call", {
          outcome: "not-sent",
        }),
      );
    this.#over = true;
  }

  #left(): void {
    this.#over = true;
    this.#desk.runtime.deadlines.remove(this.#watched);
    this.#served?.left();
  }

  #refuse(error: ParleyError): void {
    if (this.#over) return;
    this.#over = true;
    this.#desk.runtime.deadlines.remove(this.#watched);
    refuse(this.#desk, this.#outlet, error);
  }
}

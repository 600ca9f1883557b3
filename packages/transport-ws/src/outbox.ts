import {
  cancelled,
  type DeadlineListener,
  type OperationOptions,
  type Outcome,
  type ParleyError,
  type Runtime,
  TransportError,
  type WatchedDeadline,
  withOutcome,
} from "@parley/core/transport";
import { MESSAGE_OVERHEAD_BYTES } from "./inbox.ts";
import type { FrameData } from "./message-format.ts";

/** Where messages leave: an open connection. */
export interface Outlet {
  /** Whether a message may be handed over now. */
  readonly hasRoom: boolean;
  /** Hands one over; `written` is called when the system has it all, and never when the connection ends before. */
  write(data: FrameData, written: () => void): void;
}

/** What an {@link Outbox} is made from. */
export interface OutboxInit {
  readonly maxBytes: number;
  readonly maxWaiting: number;
  readonly whenFull: "wait" | "reject";
  readonly runtime: Runtime;
}

/**
 * Messages on their way out, in order and bounded. A few are with the connection, whose fate is unknown when it is cut; the rest have not been sent.
 */
export class Outbox {
  readonly #init: OutboxInit;
  #queue = new Set<Sending>();
  readonly #handed = new Set<Sending>();
  #bytes = 0;
  #outlet: Outlet | undefined;
  #emptied: (() => void) | undefined;

  constructor(init: OutboxInit) {
    this.#init = init;
  }

  /** Bytes of what has not left yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Sends a message, as soon as there is a connection with room. Resolves when the system has taken it.
   * @throws ParleyError `resource_exhausted`, `deadline_exceeded`, `cancelled`, `unavailable`, with the true outcome
   */
  send(data: FrameData, dataBytes: number, { signal, timeoutMs }: OperationOptions): Promise<void> {
    if (signal?.aborted) return Promise.reject(withOutcome(cancelled(signal.reason, "not-sent"), "not-sent"));
    const bytes = dataBytes + MESSAGE_OVERHEAD_BYTES;
    const full = this.#bytes > 0 && this.#bytes + bytes > this.#init.maxBytes;
    const { whenFull, maxWaiting } = this.#init;
    if (full && (whenFull === "reject" || this.#queue.size >= maxWaiting)) return Promise.reject(this.#full());
    return new Promise((resolve, reject) => {
      const sending = new Sending(data, { signal, timeoutMs }, this.#init.runtime, (error) => {
        this.#queue.delete(sending);
        this.#handed.delete(sending);
        this.#bytes -= bytes;
        if (error) reject(error);
        else resolve();
        if (this.#bytes === 0) this.#emptied?.();
      });
      this.#bytes += bytes;
      this.#queue.add(sending);
      this.#pump();
    });
  }

  /** There is a connection. What `greet` sends leaves first, before what has waited for it. */
  attach(outlet: Outlet, greet: () => void): void {
    const waited = this.#queue;
    this.#queue = new Set();
    this.#outlet = outlet;
    greet();
    for (const sending of waited) if (!sending.settled) this.#queue.add(sending);
    this.#pump();
  }

  /** Resolves when nothing is on its way any more. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptied = resolve;
      if (this.#bytes === 0) resolve();
    });
  }

  /** The connection is gone, or none will come: all settles now. */
  lose(error: ParleyError): void {
    this.#outlet = undefined;
    for (const sending of [...this.#handed]) sending.settle(withOutcome(error, "unknown"));
    for (const sending of [...this.#queue]) sending.settle(withOutcome(error, "not-sent"));
  }

  #pump(): void {
    for (const sending of this.#queue) {
      if (!this.#outlet?.hasRoom) return;
      this.#queue.delete(sending);
      this.#handed.add(sending);
      sending.handed = true;
      this.#outlet.write(sending.data, () => {
        sending.settle();
        this.#pump();
      });
    }
  }

  #full(): ParleyError {
    const { maxBytes, whenFull } = this.#init;
    const what = `${this.#bytes} bytes wait to be sent, of at most ${maxBytes}`;
    const waiting = whenFull === "wait" ? `, and ${this.#queue.size} messages` : "";
    return new TransportError("resource_exhausted", `there is no room for the message: ${what}${waiting}`, {
      outcome: "not-sent",
    });
  }
}

/** One message on its way. */
class Sending implements DeadlineListener {
  readonly data: FrameData;
  handed = false;
  settled = false;
  readonly #options: OperationOptions;
  readonly #runtime: Runtime;
  readonly #done: (error?: ParleyError) => void;
  readonly #watched: WatchedDeadline | undefined;

  constructor(data: FrameData, options: OperationOptions, runtime: Runtime, done: (error?: ParleyError) => void) {
    this.data = data;
    this.#options = options;
    this.#runtime = runtime;
    this.#done = done;
    const { signal, timeoutMs } = options;
    signal?.addEventListener("abort", this.#abort);
    if (timeoutMs !== undefined) this.#watched = runtime.deadlines.add(runtime.now() + timeoutMs, this);
  }

  settle(error?: ParleyError): void {
    if (this.settled) return;
    this.settled = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    if (this.#watched) this.#runtime.deadlines.remove(this.#watched);
    this.#done(error);
  }

  onDeadline(): void {
    const message = `the message was not sent within ${this.#options.timeoutMs} ms`;
    this.settle(new TransportError("deadline_exceeded", message, { outcome: this.#outcome() }));
  }

  readonly #abort = (): void => {
    const outcome = this.#outcome();
    this.settle(withOutcome(cancelled(this.#options.signal?.reason, outcome), outcome));
  };

  /** What was handed to the connection cannot be called back. */
  #outcome(): Outcome {
    return this.handed ? "unknown" : "not-sent";
  }
}

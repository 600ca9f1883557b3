import {
  Operation,
  type OperationOptions,
  type ParleyError,
  type Runtime,
  TransportError,
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
  send(data: FrameData, dataBytes: number, options: OperationOptions): Promise<void> {
    const bytes = dataBytes + MESSAGE_OVERHEAD_BYTES;
    const full = this.#bytes > 0 && this.#bytes + bytes > this.#init.maxBytes;
    const { whenFull, maxWaiting, runtime } = this.#init;
    const operation = new Operation<void>({ what: "sending the message", runtime, ...options });
    if (full && (whenFull === "reject" || this.#queue.size >= maxWaiting)) operation.reject(this.#full());
    if (operation.over) return operation.promise;
    const sending: Sending = { data, bytes, operation };
    operation.undo = () => {
      // What was handed to the connection cannot be called back.
      const outcome = this.#handed.has(sending) ? "unknown" : "not-sent";
      this.#left(sending);
      return outcome;
    };
    this.#bytes += bytes;
    this.#queue.add(sending);
    this.#pump();
    return operation.promise;
  }

  /** There is a connection. What `greet` sends leaves first, before what has waited for it. */
  attach(outlet: Outlet, greet: () => void): void {
    const waited = this.#queue;
    this.#queue = new Set();
    this.#outlet = outlet;
    greet();
    for (const sending of waited) if (!sending.operation.over) this.#queue.add(sending);
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
    for (const sending of [...this.#handed]) this.#fail(sending, withOutcome(error, "unknown"));
    for (const sending of [...this.#queue]) this.#fail(sending, withOutcome(error, "not-sent"));
  }

  #pump(): void {
    for (const sending of this.#queue) {
      if (!this.#outlet?.hasRoom) return;
      this.#queue.delete(sending);
      this.#handed.add(sending);
      this.#outlet.write(sending.data, () => {
        if (!sending.operation.over) {
          this.#left(sending);
          sending.operation.resolve();
        }
        this.#pump();
      });
    }
  }

  #fail(sending: Sending, error: ParleyError): void {
    this.#left(sending);
    sending.operation.reject(error);
  }

  /** It is on its way no more. */
  #left(sending: Sending): void {
    this.#queue.delete(sending);
    this.#handed.delete(sending);
    this.#bytes -= sending.bytes;
    if (this.#bytes === 0) this.#emptied?.();
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
interface Sending {
  readonly data: FrameData;
  readonly bytes: number;
  readonly operation: Operation<void>;
}

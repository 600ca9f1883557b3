import { TransportError } from "../../call/error.ts";
import type { RuntimeParts } from "../../runtime/runtime.ts";
import type { Sealable, WritableListener } from "../channel/outbox.ts";
import type { Broker, Confirm, Destination } from "./broker.ts";
import { rememberText } from "./encode-message.ts";
import type { MessageFrame } from "./message-frame.ts";

/**
 * The way out of one link to a broker. Messages leave at once; items that may travel together wait for the end of the turn. While the broker
 * takes nothing, openers and items wait where they are; answers, bounded by the calls they belong to, leave all the same.
 */
export class Post {
  readonly #broker: Broker;
  readonly #runtime: RuntimeParts;
  #unsealed = new Set<Sealable>();
  #waiting = new Set<WritableListener>();
  #flushDue = false;
  #blocked = false;
  #closed = false;
  readonly #flushAtEndOfTurn = (): void => {
    this.#flushDue = false;
    this.#seal();
  };

  constructor(broker: Broker, runtime: RuntimeParts) {
    this.#broker = broker;
    this.#runtime = runtime;
  }

  /** Nothing should be sent at present that can wait. */
  get blocked(): boolean {
    if (this.#blocked || this.#closed) return this.#blocked;
    const writable = this.#broker.writable();
    if (!writable) return false;
    this.#blocked = true;
    const drained = (): void => this.#drained();
    writable.then(drained, drained);
    return true;
  }

  /** Hands a message to the broker. */
  send(to: Destination, frame: MessageFrame, confirm?: Confirm): void {
    if (this.#closed) return confirm?.(new TransportError("unavailable", "the link is gone", { outcome: "not-sent" }));
    // What was ready before leaves before.
    this.#seal();
    rememberText(frame.message, frame.text);
    this.#broker.publish(to, frame.message, confirm);
  }

  /** Asks to be sealed before anything else leaves, at the latest at the end of the turn. */
  sealBeforeFlush(sealable: Sealable): void {
    this.#unsealed.add(sealable);
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#runtime.defer(this.#flushAtEndOfTurn);
  }

  /** Runs `listener` once, in its turn, when messages can leave again or the link has ended. */
  whenWritable(listener: WritableListener): void {
    if (this.blocked || this.#waiting.size > 0) this.#waiting.add(listener);
    else listener();
  }

  /** Takes back {@link whenWritable}. */
  forget(listener: WritableListener): void {
    this.#waiting.delete(listener);
  }

  /** The link is gone: nothing more leaves, nobody waits. */
  close(): void {
    this.#closed = true;
    this.#blocked = false;
    for (const listener of this.#waiting) listener();
    this.#waiting.clear();
  }

  #seal(): void {
    for (const one of this.#unsealed) {
      this.#unsealed.delete(one);
      one.seal();
    }
  }

  #drained(): void {
    this.#blocked = false;
    for (const listener of this.#waiting) {
      if (this.blocked) return;
      this.#waiting.delete(listener);
      listener();
    }
  }
}

import { TransportError } from "../../call/error.ts";
import type { RuntimeParts } from "../../runtime/runtime.ts";
import type { Sealable, WritableListener } from "../channel/outbox.ts";
import type { Broker, Confirm, Destination } from "./broker.ts";
import { rememberText } from "./encode-message.ts";
import type { MessageFrame } from "./message-frame.ts";

/** What is longer travels alone, and when so much has come together it leaves. */
const MAX_EVENT_CHARS = 4 * 1024;
const MAX_BATCH_CHARS = 16 * 1024;

/** Messages of one turn to one inbox. */
interface Batch {
  readonly frames: MessageFrame[];
  chars: number;
}

/**
 * The way out of one link to a broker. Messages leave at once; what may travel together waits for the end of the turn. While the broker
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
  readonly #batches = new Map<string, Batch>();
  readonly #flushAtEndOfTurn = (): void => {
    this.#flushDue = false;
    this.flush();
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
    if (to.to === "inbox") this.#leave(to.name);
    this.#publish(to, frame, confirm);
  }

  /** Hands a message to an inbox to the broker, as one with others of this turn where whoever reads there takes so many events in a message. */
  gather(inbox: string, frame: MessageFrame, batchEvents: number): void {
    const chars = frame.text.length;
    if (batchEvents < 2 || chars > MAX_EVENT_CHARS || !this.#broker.publishBatch || this.#closed)
      return this.send({ to: "inbox", name: inbox }, frame);
    this.#seal();
    const batch = this.#batches.get(inbox) ?? { frames: [], chars: 0 };
    if (batch.frames.length === 0) this.#batches.set(inbox, batch);
    batch.frames.push(frame);
    batch.chars += chars;
    if (batch.frames.length >= batchEvents || batch.chars > MAX_BATCH_CHARS - MAX_EVENT_CHARS) this.#leave(inbox);
    else this.#flushSoon();
  }

  /** Sends what waits for the end of the turn. */
  flush(): void {
    this.#seal();
    for (const inbox of this.#batches.keys()) this.#leave(inbox);
  }

  /** Asks to be sealed before anything else leaves, at the latest at the end of the turn. */
  sealBeforeFlush(sealable: Sealable): void {
    this.#unsealed.add(sealable);
    this.#flushSoon();
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
    this.#batches.clear();
    for (const listener of this.#waiting) listener();
    this.#waiting.clear();
  }

  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#runtime.defer(this.#flushAtEndOfTurn);
  }

  #leave(inbox: string): void {
    const frames = this.#batches.get(inbox)?.frames;
    if (!frames) return;
    this.#batches.delete(inbox);
    const [first] = frames;
    if (frames.length > 1)
      this.#broker.publishBatch?.(
        inbox,
        frames.map(({ text }) => text),
      );
    else if (first) this.#publish({ to: "inbox", name: inbox }, first);
  }

  #publish(to: Destination, frame: MessageFrame, confirm?: Confirm): void {
    rememberText(frame.message, frame.text);
    this.#broker.publish(to, frame.message, confirm);
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

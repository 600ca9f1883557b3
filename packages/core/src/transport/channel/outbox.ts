import type { RuntimeParts } from "../../runtime/runtime.ts";
import type { Channel } from "./channel.ts";

/** Has text to add before the batch leaves. */
export interface Sealable {
  seal(): void;
}

/** Told once when frames can leave again, or never will. */
export type WritableListener = () => void;

const FLUSH_FRAMES = 16;
const FLUSH_CHARS = 64 * 1024;

/**
 * Collects the frames of a turn and writes them together: at the end of the turn, and earlier after 16 frames or 64 Ki characters, so that
 * the peer starts working while this side still sends. While the channel is over its high-water mark, frames wait here.
 */
export class Outbox {
  readonly #channel: Channel;
  readonly #runtime: RuntimeParts;
  readonly #maxQueuedChars: number;
  readonly #onOverflow: () => void;
  #frames: string[] = [];
  #chars = 0;
  #pushed = 0;
  #unsealed = new Set<Sealable>();
  #flushDue = false;
  #blocked = false;
  #waiting = new Set<WritableListener>();
  #closed = false;
  readonly #flushAtEndOfTurn = (): void => {
    this.#flushDue = false;
    this.flush();
  };

  constructor(channel: Channel, runtime: RuntimeParts, maxQueuedChars: number, onOverflow: () => void) {
    this.#channel = channel;
    this.#runtime = runtime;
    this.#maxQueuedChars = maxQueuedChars;
    this.#onOverflow = onOverflow;
  }

  /** Frames cannot leave at present; whoever can wait should ({@link whenWritable}). */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Takes a frame; its number, counted from 1, tells {@link written} which one is meant. */
  push(frame: string): number {
    if (this.#closed) return this.#pushed + 1;
    // What was ready before leaves before.
    this.#seal();
    this.#frames.push(frame);
    this.#chars += frame.length;
    this.#pushed++;
    if (this.#blocked) {
      if (this.#chars > this.#maxQueuedChars) this.#onOverflow();
    } else if (this.#frames.length >= FLUSH_FRAMES || this.#chars >= FLUSH_CHARS) this.#write();
    else this.#flushSoon();
    return this.#pushed;
  }

  /** Whether the frame has been given to the channel. */
  written(frame: number): boolean {
    return frame <= this.#pushed - this.#frames.length;
  }

  /** Asks to be sealed before the next batch leaves. */
  sealBeforeFlush(sealable: Sealable): void {
    this.#unsealed.add(sealable);
    this.#flushSoon();
  }

  /** Writes what there is, unless blocked. */
  flush(): void {
    this.#seal();
    if (!this.#blocked) this.#write();
  }

  /** Runs `listener` once, in its turn, when frames can leave again or the connection has ended. */
  whenWritable(listener: WritableListener): void {
    if (this.#blocked || this.#waiting.size > 0) this.#waiting.add(listener);
    else listener();
  }

  /** Takes back {@link whenWritable}. */
  forget(listener: WritableListener): void {
    this.#waiting.delete(listener);
  }

  /** The channel has room again. */
  drained(): void {
    this.#blocked = false;
    this.#write();
    for (const listener of this.#waiting) {
      if (this.#blocked) return;
      this.#waiting.delete(listener);
      listener();
    }
  }

  /** The channel has ended: frames are dropped, nobody waits. */
  close(): void {
    this.#closed = true;
    this.#frames = [];
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

  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#runtime.defer(this.#flushAtEndOfTurn);
  }

  #write(): void {
    if (this.#frames.length === 0 || this.#closed) return;
    const frames = this.#frames;
    this.#frames = [];
    this.#chars = 0;
    if (!this.#channel.write(frames)) this.#blocked = true;
  }
}

import type { HopAttributes } from "../../envelope/encode.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { RuntimeParts } from "../../runtime/runtime.ts";
import type { Replayed } from "../session/ring.ts";
import type { Session } from "../session/session.ts";
import type { Channel } from "./channel.ts";
import type { Frame, FrameCodec } from "./frame-codec.ts";

/** Has text to add before the batch leaves. */
export interface Sealable {
  seal(): void;
}

/** Told once when frames can leave again, or never will. */
export type WritableListener = () => void;

/** What an {@link Outbox} is made from. */
export interface OutboxInit {
  readonly codec: FrameCodec;
  readonly runtime: RuntimeParts;
  /** Frames that may wait while the channel takes none, or for an acknowledgement, beyond the bounds of the session; UTF-16 code units. */
  readonly maxQueuedChars: number;
  /** More wait. */
  onOverflow(): void;
  /** A session without a channel keeps so much more. */
  onKept(chars: number): void;
}

const FLUSH_FRAMES = 16;
const FLUSH_CHARS = 64 * 1024;

/**
 * Collects the frames of a turn and writes them together: at the end of the turn, and earlier after 16 frames or 64 Ki characters, so that
 * the peer starts working while this side still sends. While the channel is over its high-water mark, frames wait here. In a session they are
 * numbered and kept, with a channel and without.
 */
export class Outbox {
  readonly #init: OutboxInit;
  #channel: Channel<Frame> | undefined;
  #session: Session | undefined;
  #frames: Frame[] = [];
  #chars = 0;
  #pushed = 0;
  #written = 0;
  #unsealed = new Set<Sealable>();
  #flushDue = false;
  /** The channel takes no more at present. */
  #held = false;
  /** The session keeps as much as it may. */
  #full = false;
  #waiting = new Set<WritableListener>();
  #closed = false;
  /** Attributes of the hop as a session completes them: one object for all messages. */
  readonly #hop: { -readonly [name in keyof HopAttributes]: HopAttributes[name] } = {};
  readonly #flushAtEndOfTurn = (): void => {
    this.#flushDue = false;
    this.flush();
  };

  constructor(channel: Channel<Frame>, init: OutboxInit) {
    this.#channel = channel;
    this.#init = init;
  }

  /** Frames cannot leave at present, or not be kept, or others wait for that already; whoever can wait should ({@link whenWritable}). */
  get blocked(): boolean {
    return this.#stuck || this.#waiting.size > 0;
  }

  /** Whether the peer says what it has taken over. */
  get confirms(): boolean {
    return this.#session !== undefined;
  }

  /** There is no channel at present: what is not written stays here. */
  get detached(): boolean {
    return this.#channel === undefined;
  }

  /** From now on messages belong to a session. */
  number(session: Session): void {
    this.#session = session;
  }

  /** The message as the frame to push next. @throws ValidationError `not-sent` */
  encode(message: Envelope, hop: HopAttributes): Frame {
    // What was ready before leaves before, and has the number before.
    this.#seal();
    const { codec } = this.#init;
    return this.#session ? codec.encode(message, this.#numbered(hop, this.#session)) : codec.encode(message, hop);
  }

  /** The same with JSON text as data, which is not checked. @throws ValidationError `not-sent` */
  encodeText(message: Envelope, hop: HopAttributes, data: string): Frame {
    this.#seal();
    const { codec } = this.#init;
    const own = this.#session ? this.#numbered(hop, this.#session) : hop;
    return codec.encodeText(message, own, data);
  }

  /**
   * Takes the frame that was encoded last; its number, counted from 1, tells {@link written} which one is meant. `origin` says what to send in its place
   * should it have to be sent again.
   */
  push(frame: Frame, origin?: Replayed): number {
    if (this.#closed) return this.#pushed + 1;
    this.#pushed++;
    const pushed = this.#pushed;
    const session = this.#session;
    if (session) {
      if (this.#hop.ack !== undefined) session.told();
      session.sent(frame, origin);
      this.#full = session.full;
    }
    this.#add(frame);
    // Last of all: the connection may end for it, and says so behind this frame.
    if (this.#full && session && session.reserveChars > this.#init.maxQueuedChars) this.#init.onOverflow();
    return pushed;
  }

  /** Takes a frame of the connection itself, which has no number and is not sent again. */
  pushUnnumbered(frame: Frame): void {
    if (this.#closed) return;
    this.#seal();
    this.#add(frame);
  }

  /** Whether the frame has been given to a channel. */
  written(frame: number): boolean {
    return frame <= this.#written;
  }

  /** Asks to be sealed before the next batch leaves. */
  sealBeforeFlush(sealable: Sealable): void {
    this.#unsealed.add(sealable);
    this.#flushSoon();
  }

  /** Writes what there is, unless the channel takes no more. */
  flush(): void {
    this.#seal();
    if (!this.#held) this.#write();
  }

  /** Runs `listener` once, in its turn, when frames can leave again or the connection has ended. */
  whenWritable(listener: WritableListener): void {
    if (this.blocked) this.#waiting.add(listener);
    else listener();
  }

  /** Takes back {@link whenWritable}. */
  forget(listener: WritableListener): void {
    this.#waiting.delete(listener);
  }

  /** The channel has room again. */
  drained(): void {
    this.#held = false;
    this.#write();
    this.#wake();
  }

  /** The peer has taken over some of what was sent. */
  acknowledged(): void {
    if (!this.#full || !this.#session || this.#session.full) return;
    this.#full = false;
    this.#wake();
  }

  /** The channel is gone, and the session waits for another. */
  detach(): void {
    this.#channel = undefined;
    this.#frames = [];
    this.#chars = 0;
    this.#held = false;
  }

  /** The session goes on by another channel: what the peer may not have leaves first; then those who wait are told. */
  attach(channel: Channel<Frame>, replay: readonly Frame[]): void {
    this.#channel = channel;
    // In one write: what it does not get would count as written.
    this.#frames = [...replay];
    this.flush();
    this.#full = this.#session?.full ?? false;
    this.#wake();
  }

  /** The connection has ended: frames are dropped, nobody waits. */
  close(): void {
    this.#closed = true;
    this.#frames = [];
    this.#held = false;
    this.#full = false;
    for (const listener of this.#waiting) listener();
    this.#waiting.clear();
  }

  get #stuck(): boolean {
    return this.#held || this.#full;
  }

  #numbered({ call, seq, count, timeoutms }: HopAttributes, session: Session): HopAttributes {
    const hop = this.#hop;
    hop.call = call;
    hop.seq = seq;
    hop.count = count;
    hop.timeoutms = timeoutms;
    hop.sn = session.next;
    hop.ack = session.riding;
    return hop;
  }

  #add(frame: Frame): void {
    if (!this.#channel) return this.#init.onKept(frame.length);
    this.#frames.push(frame);
    this.#chars += frame.length;
    if (this.#held) {
      if (this.#chars > this.#init.maxQueuedChars) this.#init.onOverflow();
    } else if (this.#frames.length >= FLUSH_FRAMES || this.#chars >= FLUSH_CHARS) this.#write();
    else this.#flushSoon();
  }

  #seal(): void {
    for (const one of this.#unsealed) {
      this.#unsealed.delete(one);
      one.seal();
    }
  }

  #wake(): void {
    for (const listener of this.#waiting) {
      if (this.#stuck) return;
      this.#waiting.delete(listener);
      listener();
    }
  }

  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#init.runtime.defer(this.#flushAtEndOfTurn);
  }

  #write(): void {
    if (!this.#channel || this.#frames.length === 0 || this.#closed) return;
    const frames = this.#frames;
    this.#frames = [];
    this.#chars = 0;
    this.#written = this.#pushed;
    if (!this.#channel.write(frames)) this.#held = true;
  }
}

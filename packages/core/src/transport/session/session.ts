import type { Frame } from "../channel/frame-codec.ts";
import type { Numbers } from "./numbers.ts";
import { type Replayed, Ring } from "./ring.ts";
import type { AckTerms, ResumeTerms } from "./terms.ts";

/** Where a message that arrived stands: it is the next, was there before, or one before it is missing. */
export type Place = "next" | "repeated" | "gap";

/** What an acknowledgement comes to; `wrong` speaks of what was never sent. */
export type Acknowledged = "taken" | "gap" | "wrong";

/** An acknowledgement rides along on a message when so many are due, or a quarter of what the peer allows. */
const RIDE_ALONG = 16;

/** A message that has come and whose recipient is still making up its mind. */
export interface Hold {
  /** Number of the message before it. */
  readonly before: number;
  readonly since: number;
}

/** What a session is made from. */
export interface SessionInit {
  /** Unguessable; made by the side that listens. */
  readonly id: string;
  readonly numbers: Numbers;
  /** How much this side keeps of what the peer has not acknowledged. */
  readonly bounds: Pick<ResumeTerms, "messages" | "bytes">;
  /** When the peer wants to hear. */
  readonly acks: AckTerms;
}

/**
 * One life of what two sides share, over any number of channels, as one of them sees it: which of its messages the peer has taken over, and
 * which of the peer's it has. Numbers (`sn`) start with 1 in each direction.
 */
export class Session {
  readonly id: string;
  readonly #numbers: Numbers;
  readonly #bounds: SessionInit["bounds"];
  readonly #acks: AckTerms;
  readonly #ride: number;
  readonly #ring = new Ring();
  #last = 0;
  #acked = 0;
  #received = 0;
  #dueMessages = 0;
  #dueChars = 0;
  /** Taken over by the peer, which may have said something about them that is still to come: up to this number. */
  #unconfirmed: Replayed[] = [];
  #confirmAt: number | undefined;
  /** In their order. */
  readonly #holds = new Set<Hold>();

  constructor({ id, numbers, bounds, acks }: SessionInit) {
    this.id = id;
    this.#numbers = numbers;
    this.#bounds = bounds;
    this.#acks = acks;
    this.#ride = Math.min(RIDE_ALONG, Math.ceil(acks.messages / 4));
  }

  /** Number of the next message of this side. */
  get next(): number {
    return this.#numbers.next(this.#last);
  }

  /** Number of the last message of this side: `high` to the peer. */
  get last(): number {
    return this.#last;
  }

  /** Number of the last message of the peer's that was taken over, with all before it: `ack` to the peer. */
  get received(): number {
    return this.hold?.before ?? this.#received;
  }

  /** The oldest of the messages that are held. */
  get hold(): Hold | undefined {
    if (this.#holds.size === 0) return undefined;
    const [oldest] = this.#holds;
    return oldest;
  }

  /** Whether so much is on its way that whoever can wait should. */
  get full(): boolean {
    return this.#ring.size >= this.#bounds.messages || this.#ring.chars >= this.#bounds.bytes;
  }

  /** Messages that the peer has not acknowledged. */
  get unacknowledged(): number {
    return this.#ring.size;
  }

  /** What is kept, characters. */
  get chars(): number {
    return this.#ring.chars;
  }

  /** What is kept beyond the bound: messages that cannot wait. */
  get reserveChars(): number {
    return Math.max(0, this.#ring.chars - this.#bounds.bytes);
  }

  /** What the next message says of those that have come; undefined while few have. */
  get riding(): number | undefined {
    return this.#dueMessages >= this.#ride ? this.received : undefined;
  }

  /** A message of this side, {@link next} by number, has been written or is about to be. */
  sent(frame: Frame, origin: Replayed | undefined): void {
    this.#last = this.next;
    this.#ring.push(frame, origin);
  }

  place(sn: number): Place {
    if (sn === this.#numbers.next(this.#received)) return "next";
    return this.#numbers.isAfter(sn, this.#received) ? "gap" : "repeated";
  }

  /** The next message has been handed over. Returns whether the peer should hear of it now. */
  handedOver(chars: number): boolean {
    this.#received = this.#numbers.next(this.#received);
    this.#dueMessages++;
    this.#dueChars += chars;
    if (this.#confirmAt !== undefined) this.#confirm();
    return this.#dueMessages >= this.#acks.messages || this.#dueChars >= this.#acks.chars;
  }

  /** The message that is handed over next does not count as taken over, nor does what comes after it, until it is let go. */
  holdNext(now: number): Hold {
    const hold = { before: this.#received, since: now };
    this.#holds.add(hold);
    return hold;
  }

  /** Returns whether it was held. */
  letGo(hold: Hold): boolean {
    return this.#holds.delete(hold);
  }

  /** Whether there is something that the peer has not been told of. */
  get isAckDue(): boolean {
    return this.#dueMessages > 0;
  }

  /** The peer is told of all that was received. */
  told(): void {
    this.#dueMessages = 0;
    this.#dueChars = 0;
  }

  /**
   * The peer has taken over all up to `ack`, and had sent all up to `high` when it said so (absent: this message). What is over is let go
   * of at once. Acknowledgements from before are passed over.
   */
  acknowledged(ack: number, high?: number): Acknowledged {
    if (this.#numbers.isAfter(ack, this.#last)) return "wrong";
    const gap = high !== undefined && this.#numbers.isAfter(high, this.#received);
    if (gap) this.#confirmAt = high;
    this.#trim(ack);
    return gap ? "gap" : "taken";
  }

  /** Whether the peer, which has taken over all up to `ack`, can go on: it is neither ahead of this side nor behind what is kept. */
  holds(ack: number): boolean {
    return this.#numbers.steps(this.#acked, ack) <= this.#ring.size;
  }

  /**
   * Both are on a new channel: lets go of what the peer has, which {@link holds}. What the peer has to say about it may be among the messages up to
   * `high` that it replays, so nobody is told before these are here.
   */
  attached(ack: number, high: number): void {
    this.#confirmAt = high;
    this.#trim(ack);
    this.#confirm();
    // The peer has just been told.
    this.told();
  }

  /** What the peer may not have, in its order. */
  replay(skip: (sn: number) => Frame): Frame[] {
    const frames: Frame[] = [];
    let sn = this.#acked;
    for (let place = 0; place < this.#ring.size; place++) {
      sn = this.#numbers.next(sn);
      const origin = this.#ring.origin(place);
      // Never left out: the peer would wait for its number.
      frames.push(origin ? (origin.again(sn) ?? skip(sn)) : this.#ring.frame(place));
    }
    return frames;
  }

  /** It is over: nothing is kept. */
  clear(): void {
    this.#ring.clear();
    this.#unconfirmed = [];
    this.#holds.clear();
  }

  #trim(ack: number): void {
    const { size } = this.#ring;
    let steps = this.#numbers.steps(this.#acked, ack);
    if (steps === 0 || steps > size) return;
    this.#acked = ack;
    while (steps-- > 0) {
      const origin = this.#ring.shift();
      if (!origin) continue;
      if (this.#confirmAt === undefined) origin.handedOver();
      else this.#unconfirmed.push(origin);
    }
  }

  #confirm(): void {
    if (this.#confirmAt === undefined || this.#numbers.isAfter(this.#confirmAt, this.#received)) return;
    const origins = this.#unconfirmed;
    this.#confirmAt = undefined;
    this.#unconfirmed = [];
    for (const origin of origins) origin.handedOver();
  }
}

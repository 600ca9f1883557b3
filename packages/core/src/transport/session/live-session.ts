import type { ParleyError } from "../../call/error.ts";
import type { HopAttributes } from "../../envelope/encode.ts";
import type { Envelope, SessionKind } from "../../envelope/envelope.ts";
import type { CancelTimer, RuntimeParts } from "../../runtime/runtime.ts";
import type { SessionHome } from "./home.ts";
import type { Hold, Session } from "./session.ts";

/** What a session in use asks of its connection. */
export interface LiveSessionOwner {
  /** Writes a message about the session that has no number. */
  sayOfSession(kind: SessionKind, hop: HopAttributes): void;
  /** The peer has taken over more. */
  sessionAcknowledged(): void;
  /** Something is missing between two messages: the channel is of no use. */
  sessionGap(message: string): void;
  /** The peer does not keep to the rules. */
  sessionBreach(message: string): void;
  /** Nobody came back for it. */
  sessionExpired(waitedMs: number): void;
}

/** What a session in use is made from. */
export interface LiveSessionInit {
  readonly session: Session;
  readonly home: SessionHome;
  /** How long it waits for a channel, ms; and when the peer has never used it. */
  readonly windowMs: number;
  readonly unconfirmedMs: number;
  readonly runtime: RuntimeParts;
}

/** Longest that the peer waits to hear what was taken over, ms. */
const ACK_DELAY_MS = 50;

/** A session in use by a connection: it judges what comes, sees that the peer hears of it, and waits for the peer when the channel is lost. */
export class LiveSession {
  readonly session: Session;
  readonly #owner: LiveSessionOwner;
  readonly #init: LiveSessionInit;
  #attached = true;
  #resumable = true;
  #used = false;
  /** It goes on by another channel, by which nothing has been taken over yet. */
  #returned = false;
  #repeated = 0;
  /** What the peer was told last that it has handed over. */
  #told: number | undefined;
  #ackSoon = false;
  #cancelAckTimer: CancelTimer | undefined;
  #cancelExpiry: CancelTimer | undefined;
  #cancelHoldTimer: CancelTimer | undefined;
  readonly #ackInNextTurn = (): void => {
    this.#ackSoon = false;
    const { hold } = this.session;
    if (hold) this.#cancelHoldTimer ??= this.#init.runtime.setTimer(() => this.#heldLongEnough(), this.#holdMs(hold));
    // There may be nothing new that the peer can be told.
    if (this.#attached && (!hold || hold.before !== this.#told)) this.acknowledge();
  };

  constructor(init: LiveSessionInit, owner: LiveSessionOwner) {
    this.session = init.session;
    this.#init = init;
    this.#owner = owner;
  }

  /** Whether it goes on when the channel is lost. */
  get resumable(): boolean {
    return this.#resumable;
  }

  /** Messages that had been taken over before. */
  get repeated(): number {
    return this.#repeated;
  }

  /** Whether a message is to be handed over; then {@link handedOver} is told. */
  admits({ kind, sn, ack, high }: Envelope): boolean {
    this.#used = true;
    if (kind === "ack") {
      if (ack === undefined) this.#owner.sessionBreach("a message of kind ack says nothing of what was taken over");
      else this.#acknowledged(ack, high);
      return false;
    }
    if (sn === undefined) {
      this.#owner.sessionBreach(`a message of kind ${kind} has no number in the session (sn)`);
      return false;
    }
    switch (this.session.place(sn)) {
      case "next":
        return true;
      case "repeated":
        this.#repeated++;
        this.#ackAtOnce();
        return false;
      case "gap":
        this.#owner.sessionGap(`message ${sn} came after message ${this.session.received}`);
        return false;
    }
  }

  /** A message that was admitted has been handed over: its handler runs, or it is in the queue of its call. */
  handedOver({ kind, ack }: Envelope, chars: number): void {
    const due = this.session.handedOver(chars);
    this.#progressed();
    // After the message itself: it may be what the acknowledgement is about.
    if (ack !== undefined) this.#acknowledged(ack, undefined);
    if (!this.#attached) return;
    if (due || kind === "bye") this.acknowledge();
    else if (kind === "notify" || kind === "publish") this.#ackAtOnce();
    else this.#cancelAckTimer ??= this.#init.runtime.setTimer(() => this.#ackTimeIsUp(), ACK_DELAY_MS);
  }

  /**
   * The recipient of the message that is about to be handed over may yet refuse it: the peer does not hear that it was taken over before what
   * this gives is called, or as long has passed as the peer waits at most.
   */
  hold(): () => void {
    const hold = this.session.holdNext(this.#init.runtime.now());
    return () => {
      if (this.session.letGo(hold)) this.#ackAtOnce();
    };
  }

  /** Tells the peer what was taken over, and what was sent; also the sign of life of a session. */
  acknowledge(): void {
    const { received, last } = this.session;
    this.#told = received;
    this.session.told();
    this.#owner.sayOfSession("ack", { ack: received, high: last });
  }

  /** The channel is lost: waits for the next. */
  detached(reason: ParleyError | undefined): void {
    const { windowMs, unconfirmedMs, runtime, home } = this.#init;
    const waitMs = this.#used ? windowMs : Math.min(windowMs, unconfirmedMs);
    this.#attached = false;
    this.#cancelAckTimer?.();
    this.#cancelAckTimer = undefined;
    this.#cancelExpiry = runtime.setTimer(() => this.#owner.sessionExpired(waitMs), waitMs);
    home.detached(reason);
  }

  /** More is kept while there is no channel. */
  kept(chars: number): void {
    this.#init.home.kept(chars);
  }

  /** There is a channel again. */
  attached(ack: number, high: number): void {
    this.#attached = true;
    this.#cancelExpiry?.();
    // Before anything is let go of, which had been counted.
    this.#init.home.attached();
    this.session.attached(ack, high);
    this.#told = undefined;
    this.#returned = true;
  }

  /** It ends with its channel. */
  finish(): void {
    this.#resumable = false;
    this.#init.home.over();
  }

  /** It is over. */
  stop(): void {
    this.finish();
    this.#attached = false;
    this.#cancelAckTimer?.();
    this.#cancelExpiry?.();
    this.#cancelHoldTimer?.();
    this.session.clear();
  }

  #acknowledged(ack: number, high: number | undefined): void {
    const { unacknowledged } = this.session;
    const taken = this.session.acknowledged(ack, high);
    if (this.session.unacknowledged < unacknowledged) this.#progressed();
    switch (taken) {
      case "taken":
        return this.#owner.sessionAcknowledged();
      case "gap":
        return this.#owner.sessionGap(`message ${high} was sent, and ${this.session.received} is the last that came`);
      case "wrong":
        return this.#owner.sessionBreach(`the peer acknowledges message ${ack}, and ${this.session.last} is the last`);
    }
  }

  #progressed(): void {
    if (!this.#returned) return;
    this.#returned = false;
    this.#init.home.progressed();
  }

  #ackAtOnce(): void {
    if (this.#ackSoon) return;
    this.#ackSoon = true;
    this.#init.runtime.nextTurn(this.#ackInNextTurn);
  }

  #heldLongEnough(): void {
    this.#cancelHoldTimer = undefined;
    for (let { hold } = this.session; hold && this.#holdMs(hold) <= 0; { hold } = this.session)
      this.session.letGo(hold);
    this.#ackAtOnce();
  }

  #holdMs({ since }: Hold): number {
    return since + ACK_DELAY_MS - this.#init.runtime.now();
  }

  #ackTimeIsUp(): void {
    this.#cancelAckTimer = undefined;
    if (this.session.isAckDue) this.acknowledge();
  }
}

import { ParleyError, TransportError } from "../../call/error.ts";
import { encodeHeader, type HopAttributes } from "../../envelope/encode.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { FrameCodec } from "../channel/frame-codec.ts";
import type { Outlet } from "../channel/link.ts";
import type { Sealable, WritableListener } from "../channel/outbox.ts";
import { isAfter, nextSeq } from "../channel/seq.ts";
import type { Arrival } from "./broker.ts";
import { frameBytes, type MessageFrame, messageFrame } from "./message-frame.ts";
import type { Post } from "./post.ts";

/** What the mail of a call asks of the call. */
export interface CallMailOwner {
  /** Attributes that a message gets beside those of every message of the call. */
  extra(message: Envelope, hop: HopAttributes): Readonly<Record<string, unknown>> | undefined;
  /** Sends a message of the call to where the peer is. */
  deliver(frame: MessageFrame): void;
  /** Whether what was delivered first may have reached the peer. */
  readonly delivered: boolean;
}

/** What a message of a stream is, by its number. */
export type Place = "next" | "repeated" | "beyond";

/**
 * The messages of one call over a broker, both ways: how they are written and counted, and whether one that came belongs to it and is in its
 * place. To the machine of calls it is the codec and the outbox of a channel.
 */
export class CallMail {
  readonly #post: Post;
  readonly #opener: Envelope;
  readonly #number: number | undefined;
  readonly #owner: CallMailOwner;
  #from: string | undefined;
  #pinned = false;
  /** Position of the last item, or the end, that this side has sent. */
  sentSeq = 0;
  /** Position of the last item, or the end, that has arrived. */
  receivedSeq = 0;

  constructor(post: Post, opener: Envelope, number: number | undefined, owner: CallMailOwner) {
    this.#post = post;
    this.#opener = opener;
    this.#number = number;
    this.#owner = owner;
  }

  /** Frames are a matter between codec and outbox, and both are here: the machine of calls only hands them on. */
  get codec(): FrameCodec {
    return this as unknown as FrameCodec;
  }

  get outbox(): Outlet {
    return this as unknown as Outlet;
  }

  encode(message: Envelope, hop: HopAttributes): MessageFrame {
    if (hop.seq !== undefined) this.sentSeq = hop.seq;
    return messageFrame(this.#whole(message, hop));
  }

  encodeText(message: Envelope, hop: HopAttributes, data: string): MessageFrame {
    const { seq = 0, count } = hop;
    this.sentSeq = count === undefined ? seq : nextSeq(seq, count - 1);
    const { call, inreplyto } = this.#whole(message, hop);
    const text = `${encodeHeader(message, { call, seq, count, inreplyto })},"data":${data}}`;
    if (count === undefined) return { message: this.#whole(message, hop), text };
    const whole = {
      ...this.#whole(message, hop),
      // Whoever takes the text, as brokers with JSON do, never asks.
      get data(): unknown {
        return JSON.parse(data);
      },
    };
    return { message: whole, text };
  }

  bytesOf(frame: MessageFrame | Arrival): number {
    return frameBytes(frame);
  }

  get blocked(): boolean {
    return this.#post.blocked;
  }

  /** Of what is handed over the post knows. */
  get confirms(): boolean {
    return false;
  }

  /** A link that is lost ends the call. */
  get detached(): boolean {
    return false;
  }

  push(frame: unknown): number {
    this.#owner.deliver(frame as MessageFrame);
    return 1;
  }

  written(): boolean {
    return this.#owner.delivered;
  }

  sealBeforeFlush(sealable: Sealable): void {
    this.#post.sealBeforeFlush(sealable);
  }

  whenWritable(listener: WritableListener): void {
    this.#post.whenWritable(listener);
  }

  forget(listener: WritableListener): void {
    this.#post.forget(listener);
  }

  /** Whether a message is from whom the call is with: the first one decides. */
  isFrom({ from }: Arrival): boolean {
    if (this.#pinned) return from === this.#from;
    this.#pinned = true;
    this.#from = from;
    return true;
  }

  /** Whether a message says that it follows the opener. */
  speaksOf({ id, inreplyto }: Pick<Envelope, "id" | "inreplyto">): boolean {
    return inreplyto === this.#opener.id || (id.startsWith(this.#opener.id) && id[this.#opener.id.length] === ".");
  }

  /** Where an item, or an end, stands. One without a number is taken to be the next. */
  place({ seq, count = 1 }: Envelope): Place {
    const next = nextSeq(this.receivedSeq);
    if (seq !== undefined && seq !== next) return isAfter(seq, next) ? "beyond" : "repeated";
    this.receivedSeq = nextSeq(next, count - 1);
    return "next";
  }

  /** The error for what stands beyond its place. */
  hole({ seq }: Envelope): ParleyError {
    const message = `items are missing from the stream: expected number ${nextSeq(this.receivedSeq)}, got ${seq}`;
    return new ParleyError("data_loss", message, { outcome: "unknown" });
  }

  #whole(message: Envelope, hop: HopAttributes): Envelope {
    const { id } = this.#opener;
    const whole: Record<string, unknown> = { ...message, call: this.#number };
    if (hop.seq !== undefined) whole["seq"] = hop.seq;
    if (hop.count !== undefined) whole["count"] = hop.count;
    if (message.id !== id && (this.#number === undefined || !message.id.startsWith(`${id}.`))) whole["inreplyto"] = id;
    // All that an envelope needs was there.
    return Object.assign(whole, this.#owner.extra(message, hop)) as unknown as Envelope;
  }
}

/** @throws ParleyError `resource_exhausted`, `not-sent`, when a message is longer than what is taken */
export function checkMessageSize(frame: MessageFrame, maxMessageBytes: number): void {
  // No character takes more than three bytes.
  if (frame.text.length * 3 <= maxMessageBytes) return;
  const bytes = frameBytes(frame);
  if (bytes <= maxMessageBytes) return;
  throw new TransportError(
    "resource_exhausted",
    `the message takes ${bytes} bytes, and the peer, or the broker, takes at most ${maxMessageBytes}; send it in parts (a stream)`,
    { outcome: "not-sent" },
  );
}

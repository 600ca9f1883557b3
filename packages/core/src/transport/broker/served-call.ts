import type { Peer } from "../../call/context.ts";
import { type ParleyError, TransportError } from "../../call/error.ts";
import { readError } from "../../call/error-event.ts";
import type { Handler } from "../../call/interceptor.ts";
import type { HopAttributes } from "../../envelope/encode.ts";
import type { CallKind, Envelope } from "../../envelope/envelope.ts";
import { follower } from "../../envelope/follow.ts";
import type { DeadlineListener, WatchedDeadline } from "../../runtime/deadlines.ts";
import { isOneWay } from "../answering.ts";
import type { Frame, FrameCodec } from "../channel/frame-codec.ts";
import { IncomingCall } from "../channel/incoming-call.ts";
import type { Link, Outlet } from "../channel/link.ts";
import type { Window } from "../channel/window.ts";
import type { Hop } from "../hello.ts";
import type { Arrival } from "./broker.ts";
import { type BudgetWindow, NO_CREDIT } from "./budget.ts";
import { CallMail, type CallMailOwner, checkMessageSize } from "./call-mail.ts";
import type { Desk } from "./desk.ts";
import { restoreReplyTo } from "./kept-reply-to.ts";
import { Lease, type LeaseOwner } from "./lease.ts";
import { leaseData, readNextMs } from "./lease-data.ts";
import type { MessageFrame } from "./message-frame.ts";
import type { Terms } from "./terms.ts";
import type { Watcher } from "./watches.ts";

/** A request that takes longer is accepted, so that its caller knows who has it. */
const ACCEPT_AFTER_MS = 250;

/** A call that this side answers over a broker. The states within are those of a call over a channel. */
export class ServedCall implements Link, CallMailOwner, LeaseOwner, Watcher, DeadlineListener {
  /** Names the call in this process. */
  readonly key: string;
  /** What the caller bears. */
  readonly peerHop: Terms;
  readonly #desk: Desk;
  readonly #opener: Envelope;
  /** The caller's inbox. */
  readonly #replyTo: string;
  readonly #mail: CallMail;
  readonly #incoming: IncomingCall;
  #window: BudgetWindow | undefined;
  #accepting: WatchedDeadline | undefined;
  #lease: Lease | undefined;
  #over = false;

  constructor(desk: Desk, arrival: Arrival, key: string, peer: Peer, peerHop: Terms) {
    const message = restoreReplyTo(bounded(arrival));
    this.key = key;
    this.peerHop = peerHop;
    this.#desk = desk;
    this.#opener = message;
    // Only what needs no answer comes without.
    this.#replyTo = arrival.message.replyto ?? "";
    this.#mail = new CallMail(desk.post, message, message.call, this);
    this.#mail.isFrom(arrival);
    this.#incoming = new IncomingCall(this, message, message.call ?? 0, peer, arrival.foreign === true);
  }

  get runtime(): Desk["runtime"] {
    return this.#desk.runtime;
  }

  get log(): Desk["log"] {
    return this.#desk.log;
  }

  get source(): string {
    return this.#desk.source;
  }

  get hop(): Hop {
    return this.#desk.hop;
  }

  get outbox(): Outlet {
    return this.#mail.outbox;
  }

  get codec(): FrameCodec {
    return this.#mail.codec;
  }

  readonly checkSize = (frame: Frame): void => {
    // What the codec of this call made.
    checkMessageSize(
      frame as unknown as MessageFrame,
      Math.min(this.#desk.maxMessageBytes, this.peerHop.limits.maxMessageBytes),
    );
  };

  get kind(): CallKind {
    return this.#incoming.kind;
  }

  /** Runs the handler. A stream is accepted at once, a request when it takes its time. */
  run(handler: Handler): void {
    if (isOneWay(this.kind)) return this.#incoming.run(handler);
    if (isStream(this.kind)) this.#accept();
    if (this.#over) return;
    this.#incoming.run(handler);
    if (this.#over || this.#lease) return;
    const { runtime } = this.#desk;
    this.#accepting = runtime.deadlines.add(runtime.now() + ACCEPT_AFTER_MS, this);
  }

  /** Refuses the call before any handler saw it. */
  refuse(error: ParleyError): void {
    this.#incoming.refuse(error);
  }

  receive(arrival: Arrival): void {
    const { message } = arrival;
    if (!this.#mail.isFrom(arrival)) return this.#desk.refused(arrival);
    this.#lease?.heard();
    switch (message.kind) {
      case "credit":
        if (message.seq !== undefined) this.#lease?.told(message.seq, readNextMs(message));
        if (this.#over) return;
        break;
      case "item":
      case "end": {
        const place = this.#mail.place(message);
        if (place === "repeated") return this.#desk.late();
        if (place === "beyond") return this.fail(this.#mail.hole(message));
        break;
      }
      case "error":
        // The caller's process knows nothing of the call.
        return this.lost(readError(message.data));
    }
    // What the codec of this call measures.
    this.#incoming.receive(message, arrival as unknown as Frame);
  }

  drained(reason: ParleyError): void {
    this.#incoming.drained(reason);
  }

  lost(error: ParleyError): void {
    this.#incoming.lost(error);
  }

  extra(message: Envelope, _hop: HopAttributes): Readonly<Record<string, unknown>> | undefined {
    // Should the accept be lost, the caller still learns who has its call.
    return message.kind === "reply" && isStream(this.kind) ? { replyto: this.#desk.inbox } : undefined;
  }

  deliver(frame: MessageFrame): void {
    this.#desk.post.gather(this.#replyTo, frame, this.peerHop.batchEvents);
  }

  get delivered(): boolean {
    return true;
  }

  window(): Window {
    const { windowItems, windowBytes } = this.#desk.hop.limits;
    this.#window = this.#desk.budget.open({ items: windowItems, bytes: windowBytes });
    return this.#window;
  }

  /** The call is over. */
  release(): void {
    this.#over = true;
    if (this.#accepting) this.#desk.runtime.deadlines.remove(this.#accepting);
    this.#window?.close();
    if (this.#lease) {
      this.#lease.stop();
      this.#desk.watches.remove(this.#replyTo, this);
    }
    this.#desk.forgetServed(this);
  }

  /** The request takes its time. */
  onDeadline(): void {
    this.#accept();
  }

  get receivedSeq(): number {
    return this.#mail.receivedSeq;
  }

  sendLease(): void {
    const { post, source, inbox, hop } = this.#desk;
    const credit = this.#window?.granted ?? NO_CREDIT;
    const id = `${this.#opener.id}.k${credit.items}`;
    const lease = follower("credit", id, this.#opener, source, leaseData(credit, hop));
    const frame = this.#mail.encode({ ...lease, replyto: inbox, seq: this.#mail.sentSeq }, {});
    post.send({ to: "inbox", name: this.#replyTo }, frame, (error) => {
      if (error) this.peerGone(error);
    });
  }

  fail(error: ParleyError): void {
    this.#incoming.drained(error);
  }

  peerGone(cause?: ParleyError): void {
    this.lost(new TransportError("unavailable", "the caller's process is gone", { outcome: "unknown", cause }));
  }

  /** Says who has the call; from then on both sides keep it by leases. */
  #accept(): void {
    const { runtime, hop, watches } = this.#desk;
    this.#lease = new Lease(runtime, hop.heartbeatMs, this);
    watches.add(this.#replyTo, this);
    this.sendLease();
  }
}

function isStream(kind: CallKind): boolean {
  return !isOneWay(kind) && kind !== "request";
}

/** The opener with the time that it still has: the broker has kept it for a while. */
function bounded({ message, expiresInMs }: Arrival): Envelope {
  const { timeoutms } = message;
  if (timeoutms === undefined || expiresInMs === undefined || expiresInMs >= timeoutms) return message;
  return { ...message, timeoutms: Math.max(0, Math.floor(expiresInMs)) };
}

import type { Call } from "../../call/call.ts";
import { type ParleyError, TransportError } from "../../call/error.ts";
import type { Reply } from "../../call/interceptor.ts";
import type { HopAttributes } from "../../envelope/encode.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { follower } from "../../envelope/follow.ts";
import type { DeadlineListener, WatchedDeadline } from "../../runtime/deadlines.ts";
import type { Frame, FrameCodec } from "../channel/frame-codec.ts";
import type { Link, Outlet } from "../channel/link.ts";
import { OutgoingCall } from "../channel/outgoing-call.ts";
import type { Window } from "../channel/window.ts";
import type { Hop } from "../hello.ts";
import type { Arrival } from "./broker.ts";
import { type BudgetWindow, NO_CREDIT } from "./budget.ts";
import { CallMail, type CallMailOwner, checkMessageSize } from "./call-mail.ts";
import type { Desk } from "./desk.ts";
import { keepReplyTo } from "./kept-reply-to.ts";
import { Lease, type LeaseOwner } from "./lease.ts";
import { leaseData, readNextMs } from "./lease-data.ts";
import type { MessageFrame } from "./message-frame.ts";
import type { Route } from "./route.ts";
import { writeTerms } from "./terms.ts";
import type { Watcher } from "./watches.ts";

/**
 * A call that this side makes over a broker: opened → bound to the replica that says it has it → over. The states within are those of a call
 * over a channel; here is what a broker adds, which loses, repeats, and does not say who answers.
 */
export class PendingCall implements Link, CallMailOwner, LeaseOwner, Watcher, DeadlineListener {
  readonly number: number;
  readonly #desk: Desk;
  readonly #route: Route;
  readonly #call: Call;
  readonly #mail: CallMail;
  readonly #outgoing: OutgoingCall;
  #window: BudgetWindow | undefined;
  #accepting: WatchedDeadline | undefined;
  #replica: string | undefined;
  #lease: Lease | undefined;
  #opened = false;
  #refused = false;
  #heard = false;
  #replied = false;
  #over = false;

  constructor(
    desk: Desk,
    route: Route,
    number: number,
    call: Call,
    settle: { readonly resolve: (reply: Reply) => void; readonly reject: (error: ParleyError) => void },
  ) {
    this.number = number;
    this.#desk = desk;
    this.#route = route;
    this.#call = call;
    this.#mail = new CallMail(desk.post, call.message, number, this);
    this.#outgoing = new OutgoingCall(this, number, call, settle);
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

  /** Input waits for the replica's credit: before it there is nowhere to send it. */
  get peerHop(): Hop {
    const { hop } = this.#route;
    return { ...hop, limits: { ...hop.limits, windowItems: 0, windowBytes: 0 } };
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
      Math.min(this.#desk.maxMessageBytes, this.#route.hop.limits.maxMessageBytes),
    );
  };

  get kind(): Call["kind"] {
    return this.#call.kind;
  }

  get openerId(): string {
    return this.#call.message.id;
  }

  /** Whether a message is about this call: whoever knows only the number does not. */
  speaksOf(message: Pick<Envelope, "id" | "inreplyto">): boolean {
    return this.#mail.speaksOf(message);
  }

  /** Sends the opener as soon as there is room for it. */
  start(): void {
    this.#outgoing.start();
  }

  receive(arrival: Arrival): void {
    const { message } = arrival;
    if (!this.#route.admits(arrival.principal)) return this.#desk.refused(arrival);
    if (this.#replica !== undefined && message.replyto !== undefined && message.replyto !== this.#replica) {
      // Two replicas have the call: this one has it in vain.
      this.#cancelAt(message.replyto);
      return this.#desk.refused(arrival);
    }
    if (!this.#mail.isFrom(arrival)) return this.#desk.refused(arrival);
    this.#heard = true;
    this.#lease?.heard();
    if (message.replyto !== undefined && this.#replica === undefined) this.#bind(message.replyto);
    this.#dispatch(arrival);
  }

  /** The connection closes, and does not wait for this call. */
  drained(reason: ParleyError): void {
    this.#outgoing.drained(reason);
  }

  /** The link has ended. */
  lost(error: ParleyError): void {
    this.#outgoing.lost(error);
  }

  extra(message: Envelope, hop: HopAttributes): Readonly<Record<string, unknown>> | undefined {
    if (message !== this.#call.message) return undefined;
    const { limits } = this.#desk.hop;
    if (isAnsweredWithStream(this.#call.kind)) {
      this.#window = this.#desk.budget.open({ items: limits.windowItems, bytes: limits.windowBytes });
    }
    return {
      timeoutms: hop.timeoutms,
      ...keepReplyTo(message),
      replyto: this.#desk.inbox,
      credit: writeTerms(this.#window?.granted ?? NO_CREDIT, this.#desk.hop, this.#desk.batchEvents),
    };
  }

  deliver(frame: MessageFrame): void {
    if (this.#opened) return this.#send(frame);
    this.#opened = true;
    const { runtime, post, acceptWithinMs } = this.#desk;
    const { canary } = this.#route;
    const now = runtime.now();
    this.#accepting = runtime.deadlines.add(now + acceptWithinMs, this);
    const { type } = this.#call.message;
    const to = this.#route.opens(type);
    if (canary.wanted(type, now)) post.send(to, frame, (error) => this.#confirmed(error));
    else post.send(to, frame);
  }

  get delivered(): boolean {
    return !this.#refused;
  }

  window(): Window {
    // Opened with the call, since the opener says what it grants.
    return this.#window as BudgetWindow;
  }

  /** The call is over. */
  release(): void {
    this.#over = true;
    if (this.#accepting) this.#desk.runtime.deadlines.remove(this.#accepting);
    this.#lease?.stop();
    this.#window?.close();
    if (this.#replica !== undefined) this.#desk.watches.remove(this.#replica, this);
    this.#desk.forgetPending(this);
  }

  /** Nobody has said that the call is theirs. */
  onDeadline(): void {
    // A stranger who answers with a stream need not know of leases.
    if (this.#heard) return;
    const message = `nobody took the call of ${this.#call.message.type} within ${this.#desk.acceptWithinMs} ms`;
    this.fail(new TransportError("unavailable", message, { outcome: "unknown" }));
  }

  get receivedSeq(): number {
    return this.#mail.receivedSeq;
  }

  sendLease(): void {
    const { message } = this.#call;
    const { post, inbox, hop } = this.#desk;
    const credit = this.#window?.granted ?? NO_CREDIT;
    const id = `${message.id}.k${credit.items}`;
    const lease = follower("credit", id, message, message.source, leaseData(credit, hop));
    const frame = this.#mail.encode({ ...lease, replyto: inbox, seq: this.#mail.sentSeq }, {});
    post.send({ to: "inbox", name: this.#replica as string }, frame, (error) => {
      if (error) this.peerGone(error);
    });
  }

  fail(error: ParleyError): void {
    if (this.#over) return;
    const { message } = this.#call;
    this.#send(
      this.#mail.encode(follower("cancel", `${message.id}.x`, message, message.source, { code: error.code }), {}),
    );
    this.lost(error);
  }

  peerGone(cause?: ParleyError): void {
    this.lost(
      new TransportError("unavailable", "the process that had the call is gone", { outcome: "unknown", cause }),
    );
  }

  #confirmed(error: ParleyError | undefined): void {
    this.#route.canary.told(this.#call.message.type, error, this.#desk.runtime.now());
    if (!error || this.#over || this.#heard) return;
    this.#refused = error.outcome === "not-sent";
    this.lost(error);
  }

  #bind(replica: string): void {
    const { runtime, watches, hop } = this.#desk;
    this.#replica = replica;
    if (this.#accepting) runtime.deadlines.remove(this.#accepting);
    this.#lease = new Lease(runtime, hop.heartbeatMs, this);
    watches.add(replica, this);
  }

  #dispatch(arrival: Arrival): void {
    const { message } = arrival;
    switch (message.kind) {
      case "credit":
        if (message.seq !== undefined) this.#lease?.told(message.seq, readNextMs(message));
        if (this.#over) return;
        break;
      case "reply":
        if (this.#replied) return this.#desk.late();
        this.#replied = true;
        break;
      case "item":
      case "end": {
        const place = this.#mail.place(message);
        if (place === "repeated") return this.#desk.late();
        if (place === "beyond" || !this.#replied) return this.fail(this.#mail.hole(message));
      }
    }
    // What the codec of this call measures.
    this.#outgoing.receive(message, arrival as unknown as Frame);
  }

  #send(frame: MessageFrame): void {
    const to = this.#replica === undefined ? this.#route.everybody : ({ to: "inbox", name: this.#replica } as const);
    this.#desk.post.send(to, frame);
  }

  #cancelAt(name: string): void {
    const { message } = this.#call;
    const cancel = follower("cancel", `${message.id}.x`, message, message.source, { code: "cancelled" });
    this.#desk.post.send({ to: "inbox", name }, this.#mail.encode(cancel, {}));
  }
}

function isAnsweredWithStream(kind: Call["kind"]): boolean {
  return kind === "server-stream" || kind === "bidi-stream" || kind === "subscribe";
}

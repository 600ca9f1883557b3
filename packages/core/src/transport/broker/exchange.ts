import type { Call } from "../../call/call.ts";
import type { Peer } from "../../call/context.ts";
import { ParleyError, TransportError } from "../../call/error.ts";
import { errorEvent } from "../../call/error-event.ts";
import type { Handler, Reply } from "../../call/interceptor.ts";
import type { Log } from "../../call/log.ts";
import { type Envelope, type FollowerKind, followerKinds, type Kind } from "../../envelope/envelope.ts";
import { reply } from "../../envelope/follow.ts";
import { checkTopic } from "../../envelope/topic-name.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { CallNumbers } from "../channel/call-numbers.ts";
import { PromisedReply } from "../channel/outgoing-call.ts";
import { PING } from "../channel/reception.ts";
import { answerHello, HELLO, type Hop } from "../hello.ts";
import { SlotMap } from "../slot-map.ts";
import type { ConnectionStats } from "../transport.ts";
import type { Arrival, Broker, Destination } from "./broker.ts";
import { CreditBudget } from "./budget.ts";
import { Callers } from "./callers.ts";
import type { Desk } from "./desk.ts";
import { keepReplyTo } from "./kept-reply-to.ts";
import { messageFrame, withAttributes } from "./message-frame.ts";
import { OneWay } from "./one-way.ts";
import { PendingCall } from "./pending-call.ts";
import { Post } from "./post.ts";
import { Repetitions } from "./repetitions.ts";
import type { Route } from "./route.ts";
import { ServedCall } from "./served-call.ts";
import { MAX_BATCH_EVENTS } from "./terms.ts";
import { TopicFeed } from "./topic-feed.ts";
import { type Unread, wantsAnswer } from "./unread.ts";
import { Watches } from "./watches.ts";

/** What the calls over one link are made from. */
export interface ExchangeInit {
  /** Whether this side dialled; the two sides number their calls apart. */
  readonly dialled: boolean;
  readonly peer: Omit<Peer, "invoke">;
  readonly handler: Handler | undefined;
  readonly hop: Hop;
  readonly source: string;
  readonly acceptWithinMs: number;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

/** The part of a message that says which call it follows. */
type Follower = Pick<Unread, "id" | "call" | "inreplyto">;

const followers: ReadonlySet<unknown> = new Set<FollowerKind>(followerKinds);

/**
 * All calls over one link to a broker, made here and answered here: finds the call that a message belongs to, and keeps what must not be
 * lost untold when the link is.
 */
export class Exchange implements Desk {
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  readonly source: string;
  readonly hop: Hop;
  readonly inbox: string;
  readonly post: Post;
  readonly budget: CreditBudget = new CreditBudget();
  readonly watches: Watches;
  readonly batchEvents: number;
  readonly maxMessageBytes: number;
  readonly acceptWithinMs: number;
  readonly #broker: Broker;
  readonly #init: ExchangeInit;
  readonly #numbers: CallNumbers;
  readonly #callers: Callers;
  readonly #pending = new SlotMap<number, PendingCall>();
  readonly #pendingById = new SlotMap<string, PendingCall>();
  readonly #served = new SlotMap<string, ServedCall>();
  readonly #oneWays = new Set<OneWay>();
  readonly #feeds = new Set<TopicFeed>();
  readonly #repetitions = new Repetitions();
  #draining = false;
  #idle: (() => void) | undefined;
  #late = 0;
  #refused = 0;

  constructor(broker: Broker, init: ExchangeInit) {
    this.#broker = broker;
    this.#init = init;
    this.runtime = init.runtime;
    this.log = init.log;
    this.source = init.source;
    this.hop = init.hop;
    this.acceptWithinMs = init.acceptWithinMs;
    this.inbox = broker.inbox;
    this.batchEvents = broker.publishBatch ? MAX_BATCH_EVENTS : 1;
    this.maxMessageBytes = broker.maxMessageBytes ?? Number.POSITIVE_INFINITY;
    this.post = new Post(broker, init.runtime);
    this.watches = new Watches(broker);
    this.#numbers = new CallNumbers(init.dialled);
    this.#callers = new Callers(init.peer, (route, call) =>
      this.#draining ? Promise.reject(closing()) : this.call(route, call),
    );
  }

  get size(): number {
    return this.#pending.size + this.#served.size + this.#oneWays.size + this.#feeds.size;
  }

  stats(): ConnectionStats {
    return { openCalls: this.size, lateMessages: this.#late, refusedMessages: this.#refused };
  }

  /** Makes a call to whoever answers at the end of a route. */
  call(route: Route, call: Call): Promise<Reply> {
    const { maxCalls, maxMessageBytes } = route.hop.limits;
    if (this.#pending.size + this.#oneWays.size >= maxCalls) {
      const message = `the peer answers at most ${maxCalls} calls at a time on one connection`;
      return Promise.reject(new TransportError("resource_exhausted", message, { outcome: "not-sent" }));
    }
    if (call.kind === "notify" || call.kind === "publish") {
      const own = { replyto: this.inbox, call: undefined, credit: undefined };
      const kept = keepReplyTo(call.message);
      const message = (timeoutms: number | undefined) => withAttributes(call.message, { ...kept, ...own, timeoutms });
      return this.#oneWay(call, route.opens(call.message.type), message, maxMessageBytes);
    }
    return new Promise((resolve, reject) => {
      const number = this.#numbers.take((taken) => this.#pending.has(taken));
      const pending = new PendingCall(this, route, number, call, new PromisedReply(resolve, reject));
      this.#pending.set(number, pending);
      this.#pendingById.set(pending.openerId, pending);
      pending.start();
    });
  }

  /** Publishes to the broker's own topics. Resolves when the broker has acknowledged it. */
  async publish(call: Call): Promise<Reply> {
    const name = checkTopic(call.message.subject);
    const own = { call: undefined, credit: undefined, timeoutms: undefined };
    const message = withAttributes(call.message, own);
    return this.#oneWay(call, { to: "topic", name }, () => message, Number.POSITIVE_INFINITY);
  }

  /** Subscribes to the broker's own topics. */
  subscribe(call: Call): Promise<Reply> {
    const feed = new TopicFeed(this.#broker, call, () => {
      this.#feeds.delete(feed);
      this.#left();
    });
    this.#feeds.add(feed);
    return feed.open();
  }

  /** A message has come: to the inbox, or to the agent, which it may have reached in vain. */
  receive(arrival: Arrival, to: "inbox" | "agent"): void {
    const { message } = arrival;
    const { kind } = message;
    if (kind === undefined) this.receive({ ...arrival, message: { ...message, kind: kindOf(message) } }, to);
    else if (followers.has(kind)) this.#follow(arrival, to);
    else this.#open(arrival);
  }

  refused(): void {
    this.#refused++;
  }

  /** What came is no sound event. Whom it concerns, as far as that could be read, is told. */
  unreadable(error: ParleyError, unread: Unread | undefined): void {
    this.#refused++;
    if (!unread) return;
    const found = this.#callOf(unread);
    if (found) {
      const message = `what came on the call cannot be read: ${error.message}`;
      found.fail(new ParleyError("data_loss", message, { outcome: "unknown", cause: error }));
    } else if (wantsAnswer(unread)) {
      const { code, message } = error;
      this.#answer(unread, unread.replyto, new ParleyError(code, message, { outcome: "rejected" }));
    }
  }

  late(): void {
    this.#late++;
  }

  forgetPending(call: PendingCall): void {
    this.#pending.delete(call.number);
    if (this.#pendingById.get(call.openerId) === call) this.#pendingById.delete(call.openerId);
    this.#left();
  }

  forgetServed(call: ServedCall): void {
    if (this.#served.get(call.key) === call) this.#served.delete(call.key);
    this.#left();
  }

  /** Answers no new calls, ends subscriptions, and resolves when no call is left; those that are when `graceMs` are over fail with the reason. */
  async drain(graceMs: number, reason: ParleyError): Promise<"idle" | "ended"> {
    this.#draining = true;
    for (const call of [...this.#calls(), ...this.#feeds]) {
      if (call instanceof TopicFeed || call.kind === "subscribe") call.drained(reason);
    }
    const result = this.size === 0 ? "idle" : await this.#emptied(graceMs, reason);
    // The link may be closed before the turn ends.
    this.post.flush();
    return result;
  }

  /** Resolves when no call is left. */
  async #emptied(graceMs: number, reason: ParleyError): Promise<"idle" | "ended"> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    let result: "idle" | "ended" = "idle";
    const cancelTimer = this.runtime.setTimer(() => {
      result = "ended";
      for (const call of this.#calls()) call.drained(reason);
      for (const oneWay of [...this.#oneWays]) oneWay.lost(reason);
      resolve();
    }, graceMs);
    await promise;
    cancelTimer();
    return result;
  }

  /** The link has ended: so has every call. */
  lose(error: ParleyError): void {
    for (const call of [...this.#calls(), ...this.#oneWays, ...this.#feeds]) call.lost(error);
    this.post.close();
  }

  #calls(): (PendingCall | ServedCall)[] {
    return [...this.#pending.values(), ...this.#served.values()];
  }

  #left(): void {
    if (this.size === 0) this.#idle?.();
  }

  #oneWay(
    call: Call,
    to: Destination,
    message: (timeoutms: number | undefined) => Envelope,
    maxMessageBytes: number,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const over = (oneWay: OneWay): void => {
        this.#oneWays.delete(oneWay);
        this.#left();
      };
      const oneWay = new OneWay(this, call, { to, message, maxMessageBytes, resolve, reject, over });
      this.#oneWays.add(oneWay);
      oneWay.start();
    });
  }

  #follow(arrival: Arrival, to: "inbox" | "agent"): void {
    const { message } = arrival;
    const { replyto, kind } = message;
    const found = this.#callOf(message);
    if (found) {
      const tooLong = this.#tooLong(arrival);
      return tooLong ? found.fail(tooLong) : found.receive(arrival);
    }
    // Whom the replicas are asked to cancel is with one of them.
    if (to === "agent") return;
    this.#late++;
    if (kind === "credit" && replyto !== undefined) this.#denyKnowledge(message, replyto);
  }

  /** The call that a message follows. */
  #callOf(message: Follower): PendingCall | ServedCall | undefined {
    const { call: number } = message;
    const id = openerId(message);
    const pending = number === undefined ? this.#pendingById.get(id) : this.#pending.get(number);
    return pending?.speaksOf(message) ? pending : this.#served.get(keyOf(id, number));
  }

  /** A peer keeps a call alive that is over here, or was never known: what ended it was lost on the way. */
  #denyKnowledge(message: Envelope, replyto: string): void {
    const text = `the call ${openerId(message)} is not known here, or over: messages were lost`;
    const error = new ParleyError("data_loss", text, { outcome: "unknown" });
    this.#answer({ ...message, id: openerId(message) }, replyto, error);
  }

  /** Ends a call with an error that no handler has seen. */
  #answer(opener: Pick<Envelope, "id" | "type" | "call">, replyto: string, error: ParleyError): void {
    const event = errorEvent(opener, this.source, error);
    this.post.send({ to: "inbox", name: replyto }, messageFrame({ ...event, ...numbered(opener) }));
  }

  #open(arrival: Arrival): void {
    const { message, foreign } = arrival;
    const { kind, type, id, source, replyto, call: number } = message;
    const oneWay = kind === "notify" || kind === "publish";
    if (!oneWay && replyto === undefined) return this.#unanswerable(message);
    const identity = oneWay ? `${source} ${id}` : `${replyto} ${keyOf(id, number)}`;
    if (!foreign && this.#repetitions.seen(identity)) return this.late();
    const key = keyOf(id, number);
    const taken = this.#served.has(key);
    const refusal = this.#tooLong(arrival) ?? (isOwn(message) ? undefined : this.#refusal(taken));
    const { peer, hop } = this.#callers.of(arrival);
    const served = new ServedCall(this, arrival, key, peer, hop);
    if (!taken) this.#served.set(key, served);
    if (refusal) served.refuse(refusal);
    else if (!isOwn(message)) served.run(this.#init.handler as Handler);
    else if (type === PING) served.run(() => ({ message: reply(message, this.source) }));
    else served.run((call) => this.#answerHello(call));
  }

  async #answerHello(call: Call): Promise<Reply> {
    return { message: await answerHello(call, this.#init.handler, this.hop, this.source) };
  }

  /** A message that is longer than this side said it takes. */
  #tooLong(arrival: Arrival): ParleyError | undefined {
    const { maxMessageBytes } = this.hop.limits;
    if (arrival.bytes === undefined || arrival.bytes <= maxMessageBytes) return undefined;
    const message = `a message of ${arrival.bytes} bytes is over the limit of ${maxMessageBytes} bytes`;
    return new TransportError("resource_exhausted", message);
  }

  /** Why no call can be taken now; nothing has seen it. */
  #refusal(taken: boolean): ParleyError | undefined {
    const { maxCalls } = this.hop.limits;
    if (!this.#init.handler)
      return new ParleyError("unimplemented", "this side of the connection answers no calls", { outcome: "not-sent" });
    if (this.#draining) return new TransportError("unavailable", "this side is closing", { outcome: "not-sent" });
    if (taken) return new ParleyError("already_exists", "a call with this id is under way", { outcome: "not-sent" });
    if (this.#served.size < maxCalls) return undefined;
    const message = `at most ${maxCalls} calls are answered at a time`;
    return new TransportError("resource_exhausted", message, { outcome: "not-sent" });
  }

  #unanswerable({ id, type, kind }: Envelope): void {
    this.#refused++;
    const message = `a ${kind} of ${type} says not where its answer goes; it needs the attribute replyto`;
    this.log?.({ level: "warn", event: "call-refused", message, fields: { id, type } });
  }
}

function kindOf({ inreplyto, replyto }: Envelope): Kind {
  if (inreplyto !== undefined) return "reply";
  return replyto === undefined ? "notify" : "request";
}

function keyOf(id: string, number: number | undefined): string {
  return `${id} ${number ?? ""}`;
}

/** The opener that a message follows: as it says, or as its id does. */
function openerId({ id, inreplyto }: Follower): string {
  return inreplyto ?? id.slice(0, Math.max(0, id.lastIndexOf(".")));
}

function numbered({ call }: Pick<Envelope, "call">): { readonly call?: number } {
  return call === undefined ? {} : { call };
}

/** Answered by core itself. */
function isOwn({ kind, type }: Envelope): boolean {
  return kind === "request" && (type === HELLO || type === PING);
}

function closing(): ParleyError {
  return new TransportError("unavailable", "this side is closing", { outcome: "not-sent" });
}

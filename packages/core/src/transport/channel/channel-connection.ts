import { type Call, createCall } from "../../call/call.ts";
import type { Code } from "../../call/code.ts";
import { errorFor, ParleyError, TransportError } from "../../call/error.ts";
import type { Reply } from "../../call/interceptor.ts";
import { withOutcome } from "../../call/outcome.ts";
import { createEnvelope } from "../../envelope/create.ts";
import { callKinds, type Envelope } from "../../envelope/envelope.ts";
import { reply } from "../../envelope/follow.ts";
import type { CancelTimer } from "../../runtime/runtime.ts";
import { HELLO, type Hello, type Hop, peerHop, silentHop } from "../hello.ts";
import type { AgreedSession } from "../session/agreed-session.ts";
import type { ChannelPeer, Cursor, Resumable } from "../session/resumable.ts";
import type { CloseOptions, Connection, ConnectionState, ConnectionStats } from "../transport.ts";
import { CallTable } from "./call-table.ts";
import { Carrier, type CarrierOwner } from "./carrier.ts";
import type { OpenChannel } from "./channel.ts";
import type { Frame, FrameCodec } from "./frame-codec.ts";
import { exceeds } from "./frame-size.ts";
import { Handshake, type HandshakeInit, type HandshakeOwner } from "./handshake.ts";
import type { Link } from "./link.ts";
import { lostCall, lostChannel, lostStream, unavailable } from "./lost.ts";
import { PING, Reception } from "./reception.ts";
import { FixedWindow } from "./window.ts";

/** What a connection over a channel is made from. */
export interface ChannelConnectionInit extends Omit<HandshakeInit, "principal"> {
  /** Whether this side dialled: it then opens calls of odd number, and says hello first. */
  readonly dialled: boolean;
  readonly peer: ChannelPeer;
  readonly codec: FrameCodec;
  /** Frames that may wait for a peer who takes none, UTF-16 code units; at the bound the connection ends. */
  readonly maxQueuedChars: number;
  /** Time for the handshake. */
  readonly helloTimeoutMs: number;
  readonly log: Link["log"];
}

/** `leaving`: the peer has said that it is about to end the connection. */
type Phase = "greeting" | "open" | "leaving" | "draining" | "closed";

const openers: ReadonlySet<unknown> = /* @__PURE__ */ new Set(callKinds);

/**
 * All calls over one channel, or in a session over one after the other: a synchronous state machine, driven by messages, timers and calls;
 * promises only where users are. Made by `dialChannel` and `acceptChannel`.
 */
export class ChannelConnection implements Connection, CarrierOwner, HandshakeOwner {
  readonly #init: ChannelConnectionInit;
  readonly #carrier: Carrier;
  readonly #link: Link & { peerHop: Hop };
  readonly #calls: CallTable;
  readonly #reception: Reception;
  readonly #closed: PromiseWithResolvers<ParleyError | undefined> = Promise.withResolvers();
  readonly #greeted: PromiseWithResolvers<Connection> = Promise.withResolvers();
  #phase: Phase = "greeting";
  #hello: Hello | undefined;
  #cancelTimer: CancelTimer | undefined;
  /** Why the connection ends: what this side found, or what the peer told. */
  #reason: ParleyError | undefined;
  /** Without a session a call settles with its connection. */
  readonly #move = (call: Call): Promise<Reply> | undefined =>
    this.#carrier.outbox.confirms ? this.#init.keeper?.move(call, this) : undefined;

  constructor(open: OpenChannel<Frame>, init: ChannelConnectionInit) {
    const { runtime, hop, log, source, codec, handler, helloTimeoutMs } = init;
    const { maxMessageBytes, maxCalls, windowItems, windowBytes } = hop.limits;
    this.#init = init;
    this.#carrier = new Carrier(open, hop.heartbeatMs, { ...init, maxMessageBytes }, this);
    this.#link = {
      runtime,
      outbox: this.#carrier.outbox,
      codec,
      log,
      source,
      hop,
      peerHop: silentHop,
      checkSize: (frame) => this.#checkSize(frame),
      window: () => new FixedWindow({ items: windowItems, bytes: windowBytes }),
      hold: () => this.#carrier.hold(),
      release: (number) => this.#release(number),
    };
    this.#calls = new CallTable(this.#link, init.dialled);
    const peer = { ...init.peer, invoke: this.call };
    const handshake = new Handshake({ ...init, principal: peer.principal }, this.#calls, this);
    this.#reception = new Reception({ calls: this.#calls, handler, maxCalls, source }, peer, (call) => {
      void handshake.answer(call);
    });
    const silence = `the peer said no hello within ${helloTimeoutMs} ms; is it Parley?`;
    this.#cancelTimer = runtime.setTimer(() => this.#breach("deadline_exceeded", silence), helloTimeoutMs);
    // Who does not wait for the handshake hears of its failure through `closed`.
    this.#greeted.promise.catch(() => {});
    if (init.dialled) handshake.begin();
  }

  /**
   * Resolves when the handshake is done: with this connection, or with the one whose session goes on by its channel. Rejects with the reason when
   * the connection ended before.
   */
  get greeted(): Promise<Connection> {
    return this.#greeted.promise;
  }

  get hello(): Hello {
    if (!this.#hello) throw new ParleyError("failed_precondition", "the handshake is not done yet");
    return this.#hello;
  }

  get state(): ConnectionState {
    switch (this.#phase) {
      case "greeting":
        return "open";
      case "open":
        return this.#carrier.detached ? "reconnecting" : "open";
      case "leaving":
        return "draining";
      default:
        return this.#phase;
    }
  }

  get closed(): Promise<ParleyError | undefined> {
    return this.#closed.promise;
  }

  get greeting(): boolean {
    return this.#phase === "greeting" && !this.#reason;
  }

  readonly call = (call: Call): Promise<Reply> => {
    if (this.#phase === "open" && !this.#reason) {
      // A relay asks who is behind it: known, and a second hello would break the peer's rules.
      if (call.message.type === HELLO && call.kind === "request") return this.#describePeer(call);
      return this.#calls.open(call, this.#move);
    }
    return Promise.reject(this.#notOpen());
  };

  stats(): ConnectionStats {
    const { refused, repeated } = this.#carrier;
    return { openCalls: this.#calls.size, lateMessages: this.#calls.late + repeated, refusedMessages: refused };
  }

  async ping(): Promise<{ readonly roundTripMs: number }> {
    if (this.#phase === "closed" || this.#reason || this.#carrier.detached) throw this.#notOpen();
    const { runtime, source } = this.#init;
    const start = runtime.now();
    const message = createEnvelope({ kind: "request", type: PING, source }, runtime);
    await this.#calls.open(createCall({ kind: "request", message }, runtime));
    return { roundTripMs: runtime.now() - start };
  }

  async close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    switch (this.#phase) {
      case "greeting":
        this.#end(unavailable("the connection was closed during its handshake"));
        break;
      case "open":
      case "leaving": {
        const closed = unavailable("the connection was closed");
        // Only the side that dials can come back to say goodbye.
        if (this.#carrier.detached && (graceMs === 0 || !this.#init.dialled)) this.#over(undefined, closed);
        else this.#drain(graceMs, closed);
      }
    }
    await this.#closed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  probe(): void {
    if (this.#phase !== "greeting") this.ping().catch(() => {});
  }

  met(hello: Hello, agreed: AgreedSession | undefined): void {
    if (!this.greeting) return;
    this.#cancelTimer?.();
    this.#hello = hello;
    this.#link.peerHop = peerHop(hello);
    this.#carrier.begin(Math.min(this.#init.hop.heartbeatMs, this.#link.peerHop.heartbeatMs), agreed);
    this.#phase = "open";
    this.#greeted.resolve(this);
  }

  handOver(to: Resumable, cursor: Cursor): void {
    if (!this.greeting) return;
    this.#phase = "closed";
    this.#cancelTimer?.();
    this.#carrier.handOver(to, cursor, this.#init.peer);
    this.#greeted.resolve(to.connection);
    this.#closed.resolve(undefined);
  }

  handshakeFailed(error: ParleyError): void {
    this.#end(error);
  }

  received(message: Envelope, frame: Frame): void {
    // Once its end is decided nothing more is dispatched.
    if (this.#phase === "closed" || this.#reason) return;
    const { kind, call: number } = message;
    if (number === undefined) this.#receiveOwn(message);
    else if (openers.has(kind)) {
      const state = { greeting: this.#phase === "greeting", draining: this.#phase === "draining" };
      const problem = this.#reception.opened(message, number, state);
      if (problem !== undefined) this.#breach("invalid_argument", problem);
    } else this.#calls.receive(message, number, frame);
  }

  unsound(error: ParleyError): void {
    this.#end(error);
  }

  hungUp(reason: ParleyError): void {
    this.#endFor(reason, false);
  }

  cut(reason: ParleyError): void {
    this.#init.log?.({ level: "warn", event: "connection-cut", message: reason.message, error: reason });
  }

  resumed(peer: ChannelPeer): void {
    this.#reception.peer = { ...peer, invoke: this.call };
    this.#init.log?.({ level: "info", event: "connection-resumed", message: "the session goes on" });
  }

  ended(cause: unknown): void {
    if (this.#phase === "closed") return;
    const orderly = this.#phase === "draining" && !this.#reason;
    this.#reason ??= cause === undefined ? undefined : lostChannel(cause);
    this.#over(orderly ? undefined : this.#reason, this.#reason ?? lostChannel(undefined));
  }

  lost(reason: ParleyError): void {
    if (this.#phase === "closed") return;
    const orderly = this.#phase === "draining" && this.#calls.size === 0;
    this.#over(orderly ? undefined : reason, reason, lostStream(reason));
  }

  #notOpen(): ParleyError {
    const why = this.#carrier.detached ? "waits to be resumed" : notOpen[this.#phase];
    return new TransportError("unavailable", `the connection ${why}`, { outcome: "not-sent", cause: this.#reason });
  }

  async #describePeer({ message }: Call): Promise<Reply> {
    return { message: reply(message, this.#init.source, this.#hello) };
  }

  /** A message that speaks of the connection. */
  #receiveOwn({ kind }: Envelope): void {
    switch (kind) {
      case "skip":
        return;
      case "bye":
        this.#carrier.expectEnd();
        break;
      case "drain":
        // Who dials makes a new connection meanwhile, and this one ends.
        if (this.#init.dialled) this.#carrier.expectEnd();
        break;
      default:
        return this.#breach("invalid_argument", `a message of kind ${kind} has no call number`);
    }
    if (this.#phase === "open") this.#phase = "leaving";
  }

  #release(number: number): void {
    this.#calls.release(number);
    if (this.#phase === "draining" && !this.#reason && this.#calls.size === 0) this.#carrier.hangUp();
  }

  #checkSize(frame: Frame): void {
    const { maxMessageBytes } = this.#link.peerHop.limits;
    const { codec } = this.#init;
    if (!exceeds(codec, frame, maxMessageBytes)) return;
    const message = `the message takes ${codec.bytesOf(frame)} bytes, and the peer takes at most ${maxMessageBytes}; send it in parts (a stream)`;
    throw new TransportError("resource_exhausted", message, { outcome: "not-sent" });
  }

  #drain(graceMs: number, closed: ParleyError): void {
    this.#phase = "draining";
    this.#cancelTimer = this.#init.runtime.setTimer(() => this.#end(closed), graceMs);
    this.#carrier.drain(!this.#init.dialled);
    this.#calls.endSubscriptions(closed);
    if (this.#calls.size === 0) this.#carrier.hangUp();
  }

  /** The peer broke a rule. */
  #breach(code: Code, message: string): void {
    this.#end(errorFor(code, message, { outcome: "unknown" }));
  }

  /** Ends the connection for a reason, which the peer is told. */
  #end(error: ParleyError): void {
    if (this.#phase === "closed" || this.#reason) return;
    this.#endFor(error, true);
  }

  /** Every call under way learns of it at once. */
  #endFor(error: ParleyError, tell: boolean): void {
    // First of all: a queue that is full would end the connection again.
    this.#reason = error;
    this.#init.log?.({ level: "warn", event: "connection-ended", message: error.message, error });
    this.#carrier.end(error, { tell });
    this.#settle(error);
  }

  /** Nothing more comes or leaves. */
  #over(reason: ParleyError | undefined, error: ParleyError, streamError?: ParleyError): void {
    this.#settle(error, streamError);
    this.#phase = "closed";
    this.#carrier.stop();
    this.#cancelTimer?.();
    this.#closed.resolve(reason);
  }

  /** Every call under way ends with the connection. */
  #settle(error: ParleyError, streamError?: ParleyError): void {
    // Nothing was asked of a peer that was never greeted.
    if (this.#phase === "greeting") this.#greeted.reject(withOutcome(error, "not-sent"));
    this.#calls.lose(lostCall(error), streamError);
  }
}

/** What is the matter with a connection that takes no calls. */
const notOpen: Readonly<Record<Phase, string>> = {
  greeting: "is not open yet",
  open: "has ended",
  leaving: "is being closed by the peer",
  draining: "is closing",
  closed: "has ended",
};

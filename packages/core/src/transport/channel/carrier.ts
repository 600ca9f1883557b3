import { errorFor, ParleyError, TransportError, toParleyError } from "../../call/error.ts";
import { errorEvent, readError } from "../../call/error-event.ts";
import type { HopAttributes } from "../../envelope/encode.ts";
import type { Envelope, SessionKind } from "../../envelope/envelope.ts";
import { newId } from "../../envelope/id.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { AgreedSession } from "../session/agreed-session.ts";
import { LiveSession, type LiveSessionOwner } from "../session/live-session.ts";
import type { ChannelPeer, Cursor, Resumable } from "../session/resumable.ts";
import type { Session } from "../session/session.ts";
import { CONNECTION, sessionMessage } from "../session/session-message.ts";
import type { Connection } from "../transport.ts";
import type { ChannelEvents, OpenChannel } from "./channel.ts";
import type { Frame, FrameCodec } from "./frame-codec.ts";
import { exceeds } from "./frame-size.ts";
import { Heartbeat, type HeartbeatOwner } from "./heartbeat.ts";
import { Line } from "./line.ts";
import { lostChannel, unavailable } from "./lost.ts";
import { Outbox } from "./outbox.ts";

/** What a carrier is made from. */
export interface CarrierInit {
  readonly codec: FrameCodec;
  readonly runtime: Runtime;
  /** Source of the events about the connection. */
  readonly source: string;
  readonly maxQueuedChars: number;
  /** Longest message that is taken. */
  readonly maxMessageBytes: number;
}

/** What a carrier tells its connection. */
export interface CarrierOwner extends Connection {
  /** A message has come, in its place. */
  received(message: Envelope, frame: Frame): void;
  /** Nothing was heard for a while. */
  probe(): void;
  /** What came cannot be borne: the connection is to end, and the peer to be told. */
  unsound(error: ParleyError): void;
  /** The peer has said why it ends the connection. */
  hungUp(reason: ParleyError): void;
  /** The channel of a session is lost. */
  cut(reason: ParleyError): void;
  /** The channel of a session that was cut is another now, by which the peer shows anew who it is. */
  resumed(peer: ChannelPeer): void;
  /** The channel has ended, and nothing goes on. */
  ended(cause: unknown): void;
  /** The session has ended while there was no channel. */
  lost(reason: ParleyError): void;
}

/**
 * Brings messages to the peer, and from it: over one channel, or in a session over one after the other. It sees that what comes is sound,
 * in its place, and not too long, and that the peer is there.
 */
export class Carrier implements LiveSessionOwner, HeartbeatOwner, Resumable {
  readonly outbox: Outbox;
  readonly #init: CarrierInit;
  readonly #owner: CarrierOwner;
  readonly #events: ChannelEvents<Frame>;
  /** Absent while a session waits for the next, and when nothing more is expected of it. */
  #line: Line | undefined;
  #live: LiveSession | undefined;
  #heartbeat: Heartbeat;
  #heartbeatMs: number;
  #refused = 0;
  #said = 0;
  #saidBye = false;
  /** Its end is decided: nothing more is dispatched, though frames still arrive. */
  #ending = false;

  constructor(open: OpenChannel<Frame>, heartbeatMs: number, init: CarrierInit, owner: CarrierOwner) {
    const { codec, runtime, maxQueuedChars } = init;
    this.#init = init;
    this.#owner = owner;
    this.#events = {
      frame: (frame) => this.#frame(frame),
      refused: () => {
        this.#refused++;
      },
      drain: () => this.outbox.drained(),
      closed: (cause) => this.#lineClosed(cause),
    };
    this.#line = new Line(open, this.#events);
    const slow = `the peer reads too slowly: over ${maxQueuedChars} characters wait for it`;
    this.outbox = new Outbox(this.#line.channel, {
      codec,
      runtime,
      maxQueuedChars,
      onOverflow: () => owner.unsound(new TransportError("resource_exhausted", slow, { outcome: "unknown" })),
      onKept: (chars) => this.#live?.kept(chars),
    });
    this.#heartbeatMs = heartbeatMs;
    this.#heartbeat = new Heartbeat(runtime, heartbeatMs, this);
  }

  get connection(): Connection {
    return this.#owner;
  }

  get session(): Session {
    // Asked for by whoever was given this for its session.
    return (this.#live as LiveSession).session;
  }

  get detached(): boolean {
    return this.#line === undefined && this.#live?.resumable === true;
  }

  /** Messages that could not be read. */
  get refused(): number {
    return this.#refused;
  }

  /** Messages that had been taken over before. */
  get repeated(): number {
    return this.#live?.repeated ?? 0;
  }

  /** The peer is known: how often it shows a sign of life, and the session, if both agreed on one. */
  begin(heartbeatMs: number, agreed: AgreedSession | undefined): void {
    this.#heartbeatMs = heartbeatMs;
    if (agreed) {
      const { session, windowMs, unconfirmedMs } = agreed;
      const { runtime } = this.#init;
      this.#live = new LiveSession({ session, windowMs, unconfirmedMs, runtime, home: agreed.keep(this) }, this);
      this.outbox.number(session);
    }
    this.#beat();
  }

  /** What has come is not handed over before what this gives is called; nothing, where the peer does not hear of it. */
  hold(): (() => void) | undefined {
    return this.#live?.hold();
  }

  /** Says that this side makes room for no new calls. `final`: it does not come back, either, should the channel be lost. */
  drain(final: boolean): void {
    if (!this.#live) return;
    this.#sayNumbered("drain");
    if (final) this.#live.finish();
  }

  /** All is over: what was written leaves, and in a session the peer has taken it over, before the channel ends. */
  hangUp(): void {
    if (this.#live) {
      if (!this.#saidBye) this.#sayNumbered("bye", () => this.#goodbye());
      this.#saidBye = true;
      return;
    }
    this.outbox.whenWritable(() => {
      this.outbox.flush();
      this.#line?.channel.close();
    });
  }

  /** Ends what there is, for a reason that the peer is told here if it does not know it. */
  end(reason: ParleyError, { tell }: { readonly tell: boolean }): void {
    this.#ending = true;
    // Without it the peer would take one that is `unavailable` to be back soon.
    if (tell && this.#live && this.#line) this.#sayNumbered("bye");
    if (tell) this.#tell(reason);
    this.#live?.finish();
    if (this.#line) this.#line.channel.close(reason);
    else this.#owner.ended(undefined);
  }

  /** Gives the channel up, not the session; where there is none, the connection. */
  drop(reason: ParleyError): void {
    if (!this.#live?.resumable) return this.#owner.unsound(reason);
    this.#tell(reason);
    this.#cut(reason);
  }

  /** The peer makes no new connection for this session, and is about to end this one. */
  expectEnd(): void {
    this.#live?.finish();
  }

  /** Nothing more comes or leaves. */
  stop(): void {
    this.#line?.hand(undefined);
    this.#line = undefined;
    this.outbox.close();
    this.#heartbeat.stop();
    this.#live?.stop();
  }

  /** Gives the channel to a session that goes on by it. */
  handOver(to: Resumable, cursor: Cursor, peer: ChannelPeer): void {
    this.outbox.flush();
    // There is one until there was a session.
    const line = this.#line as Line;
    this.#line = undefined;
    this.stop();
    to.resume(line, cursor, peer);
  }

  supersede(): void {
    if (!this.#line || !this.#live?.resumable) return;
    const taken = new ParleyError("aborted", "another connection has taken the session over", { outcome: "unknown" });
    this.#tell(taken);
    this.#cut(taken);
  }

  resume(line: Line, { ack, high }: Cursor, peer: ChannelPeer): void {
    this.#owner.resumed(peer);
    this.#line = line;
    line.hand(this.#events);
    this.#live?.attached(ack, high);
    this.#beat();
    const { codec, source } = this.#init;
    this.outbox.attach(
      line.channel,
      this.session.replay((sn) => codec.encode(sessionMessage("skip", source, ++this.#said), { sn })),
    );
  }

  lose(reason: ParleyError): void {
    if (this.#live?.resumable) this.#owner.lost(reason);
  }

  probe(): void {
    if (this.#live) this.#live.acknowledge();
    else this.#owner.probe();
  }

  silent(silentMs: number): void {
    this.drop(unavailable(`the peer has been silent for ${Math.round(silentMs)} ms`));
  }

  sayOfSession(kind: SessionKind, hop: HopAttributes): void {
    const { codec, source } = this.#init;
    this.outbox.pushUnnumbered(codec.encode(sessionMessage(kind, source, ++this.#said), hop));
  }

  sessionAcknowledged(): void {
    this.outbox.acknowledged();
  }

  sessionGap(message: string): void {
    this.drop(unavailable(`messages are missing: ${message}`));
  }

  sessionBreach(message: string): void {
    this.#owner.unsound(errorFor("invalid_argument", message, { outcome: "unknown" }));
  }

  sessionExpired(waitedMs: number): void {
    const message = `the session ended, since its peer did not come back within ${waitedMs} ms`;
    this.#owner.lost(new ParleyError("data_loss", message, { outcome: "unknown" }));
  }

  #frame(frame: Frame): void {
    if (this.#ending) return;
    this.#heartbeat.heard();
    const { codec, maxMessageBytes } = this.#init;
    if (exceeds(codec, frame, maxMessageBytes)) {
      const message = `a message of ${codec.bytesOf(frame)} bytes is over the limit of ${maxMessageBytes}`;
      return this.#owner.unsound(new TransportError("resource_exhausted", message, { outcome: "unknown" }));
    }
    let message: Envelope;
    try {
      message = codec.decode(frame);
    } catch (thrown) {
      this.#refused++;
      return this.#owner.unsound(toParleyError(thrown));
    }
    const live = this.#live;
    if (message.call === undefined && message.kind === "error" && message.type === CONNECTION) {
      this.#hungUp(readError(message.data));
    } else if (!live) this.#owner.received(message, frame);
    else if (live.admits(message)) {
      this.#owner.received(message, frame);
      live.handedOver(message, frame.length);
    }
  }

  #hungUp(reason: ParleyError): void {
    if (!this.#live?.resumable) return this.#owner.hungUp(reason);
    // The second is said by a peer to whom the answer to its hello did not come in time.
    if (reason.code === "unavailable" || reason.code === "deadline_exceeded") return this.#cut(reason);
    if (reason.code !== "aborted") return this.#owner.hungUp(reason);
    // Somebody else has the session now.
    this.#leaveLine(reason);
    this.#owner.lost(reason);
  }

  #lineClosed(cause: unknown): void {
    if (!this.#live?.resumable || this.#ending) return this.#owner.ended(cause);
    // Whatever a channel that has ended may still bring comes too late.
    this.#line?.hand(undefined);
    this.#line = undefined;
    this.#detach(lostChannel(cause));
  }

  #cut(reason: ParleyError): void {
    this.#leaveLine(reason);
    this.#detach(reason);
  }

  #leaveLine(reason: ParleyError): void {
    this.#line?.hand(undefined);
    this.#line?.channel.close(reason);
    this.#line = undefined;
  }

  #detach(reason: ParleyError): void {
    this.outbox.detach();
    this.#heartbeat.stop();
    this.#owner.cut(reason);
    this.#live?.detached(reason);
  }

  /** The peer knows that all is over. */
  #goodbye(): void {
    this.#live?.finish();
    this.#line?.channel.close();
  }

  #tell(reason: ParleyError): void {
    const { codec, source, runtime } = this.#init;
    const told = errorEvent({ id: newId(runtime), type: CONNECTION }, source, reason);
    this.outbox.pushUnnumbered(codec.encode(told));
    this.outbox.flush();
  }

  #sayNumbered(kind: SessionKind, handedOver: () => void = () => {}): void {
    const { codec, source } = this.#init;
    const message = sessionMessage(kind, source, ++this.#said);
    const again = (sn: number): Frame => codec.encode(message, { sn });
    this.outbox.push(this.outbox.encode(message, {}), { again, handedOver });
  }

  #beat(): void {
    this.#heartbeat.stop();
    const steady = this.#live !== undefined;
    this.#heartbeat = new Heartbeat(this.#init.runtime, this.#heartbeatMs, this, { steady });
  }
}

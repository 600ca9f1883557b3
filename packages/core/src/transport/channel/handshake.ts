import { createCall } from "../../call/call.ts";
import { ParleyError, toParleyError } from "../../call/error.ts";
import type { Handler } from "../../call/interceptor.ts";
import { createEnvelope } from "../../envelope/create.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { answerHello, HELLO, type Hello, type Hop, helloData, readHello } from "../hello.ts";
import { type AgreedSession, agree } from "../session/agreed-session.ts";
import { DialledSession, waitingSession } from "../session/dialled-session.ts";
import type { SessionHome } from "../session/home.ts";
import type { SessionKeeper } from "../session/keeper.ts";
import type { Cursor, Resumable } from "../session/resumable.ts";
import type { SessionEntry, Sessions } from "../session/sessions.ts";
import { answerData, type ResumeSetting, readResume, resumeData } from "../session/terms.ts";
import type { CallTable } from "./call-table.ts";
import type { IncomingCall } from "./incoming-call.ts";

/** What a handshake is made from. */
export interface HandshakeInit {
  readonly dialled: boolean;
  readonly handler: Handler | undefined;
  readonly hop: Hop;
  readonly source: string;
  readonly runtime: Runtime;
  readonly principal: string | undefined;
  /** What this side says of sessions. */
  readonly resume: ResumeSetting;
  /** Listening: where sessions are. Without it there are none. */
  readonly sessions: Sessions | undefined;
  /** Dialling: what carries a session on. Without it none is asked for. */
  readonly keeper: SessionKeeper | undefined;
}

/** What a handshake comes to; one of them, in the turn in which it does. */
export interface HandshakeOwner {
  /** Whether nothing has come of it yet. */
  readonly greeting: boolean;
  /** The peer is known, and the connection open. */
  met(hello: Hello, agreed: AgreedSession | undefined): void;
  /** A session goes on: its connection takes over the channel. */
  handOver(to: Resumable, cursor: Cursor): void;
  handshakeFailed(error: ParleyError): void;
}

/** How two sides get to know each other, and agree on a session: hello as the first call, from the side that dialled. */
export class Handshake {
  readonly #init: HandshakeInit;
  readonly #calls: CallTable;
  readonly #owner: HandshakeOwner;

  constructor(init: HandshakeInit, calls: CallTable, owner: HandshakeOwner) {
    this.#init = init;
    this.#calls = calls;
    this.#owner = owner;
  }

  /** Says hello. */
  begin(): void {
    const { runtime, source, hop, resume, keeper } = this.#init;
    const data = { ...helloData(hop), ...(keeper ? { resume: resumeData(resume) } : {}) };
    const message = createEnvelope({ kind: "request", type: HELLO, source, data }, runtime);
    const held = waitingSession(keeper);
    this.#calls.start(
      createCall({ kind: "request", message }, runtime),
      {
        // What follows the answer may arrive in the same turn.
        resolve: ({ message: answer }) => this.#attempt(() => this.#answered(message.id, answer as Envelope, held)),
        reject: (error) => this.#attempt(() => this.#refused(error, held)),
      },
      held?.claim(),
    );
  }

  /** Answers the peer's hello. */
  async answer(incoming: IncomingCall): Promise<void> {
    const { handler, hop, source, dialled, runtime } = this.#init;
    try {
      const hello = readHello(incoming.call.message.data);
      const answer = await answerHello(incoming.call, handler, hop, source);
      // The side that dialled learns from its own hello whom it talks to.
      if (dialled) incoming.answer({ message: answer });
      else if (this.#owner.greeting) this.#grant(incoming, hello, answer);
    } catch (thrown) {
      incoming.failed(thrown);
      // The answer leaves first.
      runtime.defer(() => this.#owner.handshakeFailed(toParleyError(thrown)));
    }
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#owner.handshakeFailed(toParleyError(thrown));
    }
  }

  #answered(id: string, answer: Envelope, held: DialledSession | undefined): void {
    const { keeper, resume } = this.#init;
    const { session, ack = 0, high = 0 } = answer;
    if (answer.id !== `${id}.r`) throw wrong(`the answer to hello has id ${answer.id}, and is not to ${id}`);
    if (held !== waitingSession(keeper)) throw wrong("the session was given up while it was being resumed");
    const hello = readHello(answer.data);
    const terms = readResume(answer.data);
    if (held && session === held.held.session.id) {
      if (held.held.session.holds(ack)) return this.#owner.handOver(held.held, { ack, high });
      held.lose(notResumed("the peer goes on from a message that is not kept"));
      throw wrong("the peer resumes a session from a message that is not kept");
    }
    held?.lose(notResumed(terms?.reason ?? "the peer has no sessions"));
    if (!keeper || session === undefined || !terms) return this.#owner.met(hello, undefined);
    const own = agree(session, resume, terms);
    const keep = (holder: Resumable): SessionHome => new DialledSession(holder, keeper);
    this.#owner.met(hello, { ...own, unconfirmedMs: own.windowMs, keep });
  }

  #refused(error: ParleyError, held: DialledSession | undefined): void {
    // Somebody else has resumed it: it is not this side's any more.
    if (error.code === "aborted") held?.lose(error);
    // A peer that knows no handshake says nothing of itself, and is believed to speak the first profile.
    if (error.code !== "unimplemented") throw error;
    held?.lose(notResumed("the peer has no sessions"));
    this.#owner.met(readHello(undefined), undefined);
  }

  #grant(incoming: IncomingCall, hello: Hello, answer: Envelope): void {
    const { sessions, resume, principal } = this.#init;
    const { message: asked } = incoming.call;
    const terms = readResume(asked.data);
    if (!sessions || !terms) {
      incoming.answer({ message: answer });
      return this.#owner.met(hello, undefined);
    }
    const { ack = 0 } = asked;
    const { entry, reason } = this.#claimed(asked, ack, sessions);
    const id = entry?.id ?? sessions.name();
    const resumed = asked.session === undefined ? undefined : entry !== undefined;
    const message: Envelope = {
      ...answer,
      epoch: sessions.epoch,
      data: { ...(answer.data as object), resume: answerData(resume, resumed, reason) },
    };
    if (entry) {
      const { session: kept } = entry.holder;
      const { received, last } = kept;
      incoming.answer({ message }, { session: id, generation: entry.generation, ack: received, high: last });
      return this.#owner.handOver(entry.holder, { ack, high: asked.high ?? received });
    }
    if (id === undefined) {
      incoming.answer({ message });
      return this.#owner.met(hello, undefined);
    }
    incoming.answer({ message }, { session: id, generation: 1, ack: 0, high: 0 });
    const keep = (holder: Resumable): SessionHome => sessions.add(id, holder, principal);
    this.#owner.met(hello, { ...agree(id, resume, terms), unconfirmedMs: sessions.unconfirmedMs, keep });
  }

  /** The session that the peer wants to resume, which then has no channel; or why it cannot. */
  #claimed(
    { session: id, generation = 0 }: Envelope,
    ack: number,
    sessions: Sessions,
  ): { readonly entry?: SessionEntry; readonly reason?: string } {
    if (id === undefined) return {};
    const entry = sessions.claim({ id, generation, principal: this.#init.principal });
    if (!entry) return { reason: "the session is not known, or not any more" };
    const { holder } = entry;
    // No more is read from the old channel before the new one is told what has come.
    holder.supersede();
    // What waits has bounds, and this may be what they cost.
    if (!holder.detached) return { reason: "there is no room for it" };
    if (holder.session.holds(ack)) return { entry };
    const reason = "it goes neither back nor forward to the message that the peer goes on from";
    holder.lose(notResumed(reason));
    return { reason };
  }
}

function notResumed(why: string): ParleyError {
  return new ParleyError("data_loss", `the session could not be resumed: ${why}`, { outcome: "unknown" });
}

function wrong(message: string): ParleyError {
  return new ParleyError("aborted", message, { outcome: "not-sent" });
}

import type { Peer } from "../../call/context.ts";
import { ParleyError, TransportError } from "../../call/error.ts";
import type { Handler } from "../../call/interceptor.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { reply } from "../../envelope/follow.ts";
import { HELLO } from "../hello.ts";
import type { CallTable } from "./call-table.ts";
import type { IncomingCall } from "./incoming-call.ts";

/** Operation that core answers itself on every connection: a sign of life. */
export const PING = "parley.ping.v1";

/** What a reception is made from. */
export interface ReceptionInit {
  readonly calls: CallTable;
  readonly handler: Handler | undefined;
  readonly maxCalls: number;
  /** Source of the events that the connection itself writes. */
  readonly source: string;
}

/** What the connection is at present. */
export interface ReceptionState {
  /** The peer has yet to say hello. */
  readonly greeting: boolean;
  readonly draining: boolean;
}

/** Where the calls of the peer arrive: what core answers itself, what is refused, and what the handler gets. */
export class Reception {
  readonly #init: ReceptionInit;
  readonly #answerHello: (call: IncomingCall) => void;
  /** Who calls: what handlers are told, from the next call on. */
  peer: Peer;
  #helloSeen = false;

  constructor(init: ReceptionInit, peer: Peer, answerHello: (call: IncomingCall) => void) {
    this.#init = init;
    this.peer = peer;
    this.#answerHello = answerHello;
  }

  /** Takes an opener. Returns what is wrong with it, if anything: a peer that breaks such a rule is not talked to any longer. */
  opened(message: Envelope, number: number, state: ReceptionState): string | undefined {
    const { kind, type } = message;
    const { calls, source, handler } = this.#init;
    const hello = type === HELLO && kind === "request";
    if (state.greeting && !hello) return `the first message must be a request of ${HELLO}, and is a ${kind} of ${type}`;
    if (hello && this.#helloSeen) return "the peer said hello twice";
    const refusal = hello ? undefined : this.#refusal(state);
    const call = calls.accept(message, number, this.peer);
    if (!call) return `call number ${number} is used again, or is not the peer's to use`;
    if (hello) {
      this.#helloSeen = true;
      this.#answerHello(call);
    } else if (type === PING && kind === "request") call.run(() => ({ message: reply(message, source) }));
    else if (refusal) call.refuse(refusal);
    else call.run(handler as Handler);
    return undefined;
  }

  /** Why no call can be taken now; nothing has seen it. */
  #refusal({ draining }: ReceptionState): ParleyError | undefined {
    const { calls, handler, maxCalls } = this.#init;
    const outcome = "not-sent";
    if (!handler) return new ParleyError("unimplemented", "this side of the connection answers no calls", { outcome });
    if (draining) return new TransportError("unavailable", "this side is closing", { outcome });
    if (calls.incoming < maxCalls) return undefined;
    const message = `at most ${maxCalls} calls are answered at a time on one connection`;
    return new TransportError("resource_exhausted", message, { outcome });
  }
}

import type { Call } from "../../call/call.ts";
import type { Peer } from "../../call/context.ts";
import { type ParleyError, TransportError, toParleyError } from "../../call/error.ts";
import type { Reply } from "../../call/interceptor.ts";
import type { HopAttributes } from "../../envelope/encode.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { isOneWay } from "../answering.ts";
import { SlotMap } from "../slot-map.ts";
import { CallNumbers } from "./call-numbers.ts";
import type { Frame } from "./frame-codec.ts";
import { IncomingCall } from "./incoming-call.ts";
import type { Link, LinkedCall } from "./link.ts";
import { OutgoingCall, PromisedReply, type Settle, sendOneWay } from "./outgoing-call.ts";

const ACCEPTED: Promise<Reply> = /* @__PURE__ */ Promise.resolve({});

/** The calls under way on one connection, by number, from both sides. */
export class CallTable {
  readonly #link: Link;
  readonly #ownParity: number;
  readonly #numbers: CallNumbers;
  readonly #calls = new SlotMap<number, LinkedCall>();
  #incoming = 0;
  #late = 0;

  constructor(link: Link, dialled: boolean) {
    this.#link = link;
    this.#ownParity = dialled ? 1 : 0;
    this.#numbers = new CallNumbers(dialled);
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Calls from the peer. */
  get incoming(): number {
    return this.#incoming;
  }

  /** Messages that belonged to no call. */
  get late(): number {
    return this.#late;
  }

  /** Makes a call to the peer. `move` makes it elsewhere if this connection ends before it was written. */
  open(call: Call, move?: Settle["move"]): Promise<Reply> {
    const { outbox, peerHop } = this.#link;
    if (isOneWay(call.kind) && !outbox.blocked && !outbox.confirms) return this.#sendOneWay(call);
    const { maxCalls } = peerHop.limits;
    if (this.size - this.#incoming >= maxCalls) {
      const message = `the peer answers at most ${maxCalls} calls at a time on one connection`;
      return Promise.reject(new TransportError("resource_exhausted", message, { outcome: "not-sent" }));
    }
    return new Promise((resolve, reject) => this.start(call, new PromisedReply(resolve, reject, move)));
  }

  /** The same for whoever is to be told in the turn of the answer. `hop` are attributes that only this connection has a use for. */
  start(call: Call, settle: Settle, hop?: HopAttributes): void {
    const number = this.#takeNumber();
    const outgoing = new OutgoingCall(this.#link, number, call, settle, hop);
    this.#calls.set(number, outgoing);
    outgoing.start();
  }

  /** Takes a call that the peer opens; undefined when the number is not its to use. */
  accept(message: Envelope, number: number, peer: Peer): IncomingCall | undefined {
    if (this.#calls.has(number) || !this.#numbers.accept(number)) return undefined;
    const incoming = new IncomingCall(this.#link, message, number, peer);
    this.#calls.set(number, incoming);
    this.#incoming++;
    return incoming;
  }

  /** A message that follows on a call. */
  receive(message: Envelope, number: number, frame: Frame): void {
    const call = this.#calls.get(number);
    if (call) call.receive(message, frame);
    else this.#late++;
  }

  /** A call is over. */
  release(number: number): void {
    if (!this.#calls.delete(number)) return;
    if (number % 2 !== this.#ownParity) this.#incoming--;
  }

  /** Ends the subscriptions, which have no end of their own. */
  endSubscriptions(reason: ParleyError): void {
    for (const call of this.#calls.values()) if (call.kind === "subscribe") call.drained(reason);
  }

  /** Ends all calls: the connection is gone. Streams that were accepted end with the second error, if there is one. */
  lose(error: ParleyError, streamError?: ParleyError): void {
    for (const call of this.#calls.values()) call.lost(error, streamError);
  }

  #sendOneWay(call: Call): Promise<Reply> {
    try {
      sendOneWay(this.#link, call, this.#takeNumber());
      return ACCEPTED;
    } catch (thrown) {
      return Promise.reject(toParleyError(thrown));
    }
  }

  #takeNumber(): number {
    return this.#numbers.take((number) => this.#calls.has(number));
  }
}

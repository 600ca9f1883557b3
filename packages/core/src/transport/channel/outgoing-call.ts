import type { Call } from "../../call/call.ts";
import { ParleyError, toParleyError } from "../../call/error.ts";
import { readError } from "../../call/error-event.ts";
import type { Reply } from "../../call/interceptor.ts";
import { withOutcome } from "../../call/outcome.ts";
import type { HopAttributes } from "../../envelope/encode.ts";
import type { CallKind, Envelope } from "../../envelope/envelope.ts";
import { follower } from "../../envelope/follow.ts";
import { checkTopic } from "../../envelope/topic-name.ts";
import { isOneWay } from "../answering.ts";
import type { Replayed } from "../session/ring.ts";
import { type Credit, readCredit } from "./credit.ts";
import type { Frame } from "./frame-codec.ts";
import { Inflow, type InflowOwner } from "./inflow.ts";
import type { Link, LinkedCall } from "./link.ts";
import type { WritableListener } from "./outbox.ts";
import { Outflow } from "./outflow.ts";
import { timeLeft } from "./time-left.ts";

/** What whoever made a call is told. */
export interface Settle {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: ParleyError) => void;
  /** Makes the call on another connection, since this one has ended before it was written; undefined where there is none. */
  readonly move?: ((call: Call) => Promise<Reply> | undefined) | undefined;
}

/** Settles a promise. No literal, for the reason that `LeadingAttributes` are none. */
export class PromisedReply implements Settle {
  readonly resolve: Settle["resolve"];
  readonly reject: Settle["reject"];
  readonly move: Settle["move"];

  constructor(resolve: Settle["resolve"], reject: Settle["reject"], move?: Settle["move"]) {
    this.resolve = resolve;
    this.reject = reject;
    this.move = move;
  }
}

/** A call that this side makes: opened → accepted (streams) → over. */
export class OutgoingCall implements LinkedCall, InflowOwner, Replayed {
  readonly kind: CallKind;
  readonly #link: Link;
  readonly #number: number;
  readonly #call: Call;
  readonly #settle: Settle;
  /** Attributes of the opener that only this connection has a use for. */
  readonly #hop: HopAttributes | undefined;
  #openerFrame = 0;
  #waiting: WritableListener | undefined;
  #over = false;
  /** Something else was sent again in the opener's place. */
  #skipped = false;
  #output: Inflow | undefined;
  #input: Outflow | undefined;

  constructor(link: Link, number: number, call: Call, settle: Settle, hop?: HopAttributes) {
    this.kind = call.kind;
    this.#link = link;
    this.#number = number;
    this.#call = call;
    this.#settle = settle;
    this.#hop = hop;
  }

  /** Sends the opener as soon as there is room for it, and starts on the input. */
  start(): void {
    const { outbox } = this.#link;
    if (!outbox.blocked) return this.#sendOpener();
    this.#call.onAbort(this);
    this.#waiting = () => this.#sendOpener();
    outbox.whenWritable(this.#waiting);
  }

  receive(message: Envelope, frame: Frame): void {
    switch (message.kind) {
      case "reply":
        return this.#replied(message);
      case "item":
        return this.#check(
          this.#output ? this.#output.push(message, this.#link.codec.bytesOf(frame)) : outOfPlace(message),
        );
      case "end": {
        const problem = this.#output ? this.#output.end(message.seq) : outOfPlace(message);
        if (problem) this.#check(problem);
        else this.#finish();
        return;
      }
      case "error":
        return this.#fail(readError(message.data));
      case "cancel":
        this.#input?.stop();
        return;
      case "credit": {
        const credit = readCredit(message);
        if (credit) this.#input?.grant(credit);
        return;
      }
      default:
        return this.#check(outOfPlace(message));
    }
  }

  lost(error: ParleyError, streamError: ParleyError = error): void {
    // Items that were read from the caller's input are there only once.
    const moved = this.#isWritten || this.#input ? undefined : this.#settle.move?.(this.#call);
    if (moved) {
      this.#finish();
      return void moved.then(this.#settle.resolve, this.#settle.reject);
    }
    // A subscription has no end of its own, and can be made again.
    const own = this.#output && this.kind !== "subscribe" ? streamError : error;
    this.#fail(withOutcome(own, this.#isWritten ? "unknown" : "not-sent"));
  }

  again(sn: number): Frame | undefined {
    if (this.#over) return undefined;
    try {
      const { codec, runtime } = this.#link;
      return codec.encode(this.#call.message, { call: this.#number, timeoutms: timeLeft(this.#call, runtime), sn });
    } catch {
      // Its time is up, and whoever waits for it is about to be told; until then nobody is to take it for handed over.
      this.#skipped = true;
      return undefined;
    }
  }

  handedOver(): void {
    if (this.#over || this.#skipped || !isOneWay(this.kind)) return;
    this.#finish();
    this.#settle.resolve({});
  }

  drained(reason: ParleyError): void {
    this.callAborted(reason);
  }

  callAborted(reason: ParleyError): void {
    if (this.#over) return;
    if (this.#openerFrame === 0 || (this.#link.outbox.detached && !this.#isWritten)) {
      this.#finish();
      return this.#settle.reject(withOutcome(reason, "not-sent"));
    }
    this.#giveUp(reason);
    if (this.#output) this.#output.items.abort(reason);
    else this.#settle.reject(reason);
  }

  grant(credit: Credit): void {
    if (!this.#over) this.#write("credit", `k${credit.items}`, credit);
  }

  abandoned(): void {
    if (!this.#over) this.#giveUp(new ParleyError("cancelled", "the caller reads no more"));
  }

  get #isWritten(): boolean {
    return this.#openerFrame > 0 && this.#link.outbox.written(this.#openerFrame);
  }

  #sendOpener(): void {
    if (this.#over) return;
    const { outbox } = this.#link;
    try {
      this.#openerFrame = outbox.push(openerFrame(this.#link, this.#call, this.#number, this.#hop), this);
    } catch (thrown) {
      return this.#fail(toParleyError(thrown));
    }
    if (isOneWay(this.kind) && !outbox.confirms) {
      this.#finish();
      return this.#settle.resolve({});
    }
    this.#call.onAbort(this);
    if (this.#call.input) this.#send(this.#call.input);
  }

  #replied(message: Envelope): void {
    if (!answersWithStream(this.kind)) {
      this.#finish();
      return this.#settle.resolve(new MessageReply(message));
    }
    if (this.#output) return this.#check(outOfPlace(message));
    this.#output = new Inflow(this, this.#link.window());
    this.#settle.resolve({ output: this.#output.items });
  }

  #send(input: AsyncIterable<Envelope>): void {
    const { outbox, codec, source, peerHop, checkSize } = this.#link;
    const { message: opener } = this.#call;
    this.#input = new Outflow(input, {
      outbox,
      codec,
      call: this.#number,
      opener,
      side: "c",
      source: opener.source ?? source,
      credit: { items: peerHop.limits.windowItems, bytes: peerHop.limits.windowBytes },
      batchItems: peerHop.batchItems,
      checkSize,
      unsendable: (thrown) => withOutcome(toParleyError(thrown), "unknown"),
    });
    this.#input.run().catch((thrown: unknown) => this.#inputFailed(toParleyError(thrown)));
  }

  /** The caller's own input threw: the call is given up, and its reason goes along. */
  #inputFailed(error: ParleyError): void {
    if (this.#over) return;
    this.#giveUp(error);
    if (this.#output) this.#output.items.abort(error);
    else this.#settle.reject(error);
  }

  #check(problem: ParleyError | undefined): void {
    if (!problem) return;
    this.#sendCancel(problem);
    this.#fail(problem);
  }

  #fail(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    if (this.#output) this.#output.items.fail(error);
    else this.#settle.reject(error);
  }

  /** Tells the peer before this side is done with the call: a connection that only waited for it may close then. */
  #giveUp(reason: ParleyError): void {
    this.#over = true;
    this.#sendCancel(reason);
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#link.release(this.#number);
    this.#call.offAbort(this);
    if (this.#waiting) this.#link.outbox.forget(this.#waiting);
    this.#input?.stop();
  }

  #sendCancel({ code }: ParleyError): void {
    // Nothing cancels a notification that is on its way.
    if (!isOneWay(this.kind)) this.#write("cancel", "x", { code });
  }

  #write(kind: "cancel" | "credit", suffix: string, data: unknown): void {
    const { message } = this.#call;
    const { outbox } = this.#link;
    outbox.push(
      outbox.encode(follower(kind, `${message.id}.${suffix}`, message, message.source, data), { call: this.#number }),
    );
  }
}

/** No literal, for the reason that `LeadingAttributes` are none. */
class MessageReply implements Reply {
  readonly message: Envelope;

  constructor(message: Envelope) {
    this.message = message;
  }
}

/** Sends a message that has no answer. @throws ParleyError when nothing was sent. */
export function sendOneWay(link: Link, call: Call, number: number): void {
  link.outbox.push(openerFrame(link, call, number));
}

function openerFrame(link: Link, call: Call, number: number, own?: HopAttributes): Frame {
  // Nobody answers a publication: what is wrong with its topic must come out here.
  if (call.kind === "publish") checkTopic(call.message.subject);
  const hop = { call: number, timeoutms: timeLeft(call, link.runtime) };
  const frame = link.outbox.encode(call.message, own ? { ...own, ...hop } : hop);
  link.checkSize(frame);
  return frame;
}

function answersWithStream(kind: CallKind): boolean {
  return kind === "server-stream" || kind === "bidi-stream" || kind === "subscribe";
}

function outOfPlace({ kind, type }: Envelope): ParleyError {
  return new ParleyError(
    "internal",
    `the peer sent a message of kind ${kind} where the call of ${type} has no place for one`,
    {
      outcome: "unknown",
    },
  );
}

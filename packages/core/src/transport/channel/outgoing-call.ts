import type { Call } from "../../call/call.ts";
import { ParleyError, toParleyError } from "../../call/error.ts";
import { readError } from "../../call/error-event.ts";
import type { Reply } from "../../call/interceptor.ts";
import { encode } from "../../envelope/encode.ts";
import type { CallKind, Envelope } from "../../envelope/envelope.ts";
import { follower } from "../../envelope/follow.ts";
import { checkTopic } from "../../envelope/topic-name.ts";
import { utf8Length } from "../../envelope/utf8.ts";
import { type Credit, readCredit } from "./credit.ts";
import { Inflow, type InflowOwner } from "./inflow.ts";
import type { Link, LinkedCall } from "./link.ts";
import type { WritableListener } from "./outbox.ts";
import { Outflow } from "./outflow.ts";
import { timeLeft, withOutcome } from "./time-left.ts";

/** A call that this side makes: opened → accepted (streams) → over. */
export class OutgoingCall implements LinkedCall, InflowOwner {
  readonly kind: CallKind;
  readonly #link: Link;
  readonly #number: number;
  readonly #call: Call;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: ParleyError) => void;
  #openerFrame = 0;
  #waiting: WritableListener | undefined;
  #over = false;
  #output: Inflow | undefined;
  #input: Outflow | undefined;

  constructor(
    link: Link,
    number: number,
    call: Call,
    settle: { readonly resolve: (reply: Reply) => void; readonly reject: (error: ParleyError) => void },
  ) {
    this.kind = call.kind;
    this.#link = link;
    this.#number = number;
    this.#call = call;
    this.#resolve = settle.resolve;
    this.#reject = settle.reject;
  }

  /** Sends the opener as soon as there is room for it, and starts on the input. */
  start(): void {
    const { outbox } = this.#link;
    if (!outbox.blocked) return this.#sendOpener();
    this.#call.onAbort(this);
    this.#waiting = () => this.#sendOpener();
    outbox.whenWritable(this.#waiting);
  }

  receive(message: Envelope, frame: string): void {
    switch (message.kind) {
      case "reply":
        return this.#replied(message);
      case "item":
        return this.#check(this.#output ? this.#output.push(message, utf8Length(frame)) : outOfPlace(message));
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

  lost(error: ParleyError): void {
    const sent = this.#openerFrame > 0 && this.#link.outbox.written(this.#openerFrame);
    this.#fail(withOutcome(error, sent ? "unknown" : "not-sent"));
  }

  drained(reason: ParleyError): void {
    this.callAborted(reason);
  }

  callAborted(reason: ParleyError): void {
    if (this.#over) return;
    if (this.#openerFrame === 0) {
      this.#finish();
      return this.#reject(withOutcome(reason, "not-sent"));
    }
    this.#giveUp(reason);
    if (this.#output) this.#output.items.abort(reason);
    else this.#reject(reason);
  }

  grant(credit: Credit): void {
    if (!this.#over) this.#write("credit", `k${credit.items}`, credit);
  }

  abandoned(): void {
    if (!this.#over) this.#giveUp(new ParleyError("cancelled", "the caller reads no more"));
  }

  #sendOpener(): void {
    if (this.#over) return;
    try {
      this.#openerFrame = this.#link.outbox.push(openerFrame(this.#link, this.#call, this.#number));
    } catch (thrown) {
      return this.#fail(toParleyError(thrown));
    }
    if (this.kind === "notify" || this.kind === "publish") {
      this.#finish();
      return this.#resolve({});
    }
    this.#call.onAbort(this);
    if (this.#call.input) this.#send(this.#call.input);
  }

  #replied(message: Envelope): void {
    if (!answersWithStream(this.kind)) {
      this.#finish();
      return this.#resolve({ message });
    }
    if (this.#output) return this.#check(outOfPlace(message));
    const { windowItems, windowBytes } = this.#link.hop.limits;
    this.#output = new Inflow(this, { items: windowItems, bytes: windowBytes });
    this.#resolve({ output: this.#output.items });
  }

  #send(input: AsyncIterable<Envelope>): void {
    const { outbox, source, peerHop, checkSize } = this.#link;
    const { message: opener } = this.#call;
    this.#input = new Outflow(input, {
      outbox,
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
    else this.#reject(error);
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
    else this.#reject(error);
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
    this.#write("cancel", "x", { code });
  }

  #write(kind: "cancel" | "credit", suffix: string, data: unknown): void {
    const { message } = this.#call;
    this.#link.outbox.push(
      encode(follower(kind, `${message.id}.${suffix}`, message, message.source, data), { call: this.#number }),
    );
  }
}

/** Sends a message that has no answer. @throws ParleyError when nothing was sent. */
export function sendOneWay(link: Link, call: Call, number: number): void {
  link.outbox.push(openerFrame(link, call, number));
}

function openerFrame(link: Link, call: Call, number: number): string {
  // Nobody answers a publication: what is wrong with its topic must come out here.
  if (call.kind === "publish") checkTopic(call.message.subject);
  const frame = encode(call.message, { call: number, timeoutms: timeLeft(call, link.runtime) });
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

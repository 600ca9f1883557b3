import { type Call, createCall, type OwnedCall } from "../../call/call.ts";
import { isCode } from "../../call/code.ts";
import { Context, type Peer } from "../../call/context.ts";
import { errorFor, ParleyError, toParleyError } from "../../call/error.ts";
import { errorEvent } from "../../call/error-event.ts";
import type { Handler, Reply } from "../../call/interceptor.ts";
import { withOutcome } from "../../call/outcome.ts";
import type { HopAttributes } from "../../envelope/encode.ts";
import type { CallKind, Envelope } from "../../envelope/envelope.ts";
import { follower, reply as replyEvent } from "../../envelope/follow.ts";
import { isOneWay, leaveOutput, messageOf, outputOf, reportCall, runHandler } from "../answering.ts";
import { type Credit, readCredit } from "./credit.ts";
import type { Frame } from "./frame-codec.ts";
import { Inflow, type InflowOwner } from "./inflow.ts";
import type { Link, LinkedCall } from "./link.ts";
import { Outflow } from "./outflow.ts";

/** A call that this side answers: running → streaming → over. */
export class IncomingCall implements LinkedCall, InflowOwner {
  readonly kind: CallKind;
  readonly #link: Link;
  readonly #number: number;
  readonly #call: OwnedCall;
  readonly #input: Inflow | undefined;
  #output: Outflow | undefined;
  #over = false;
  /** Lets the peer hear that a notification or publication was taken over. */
  #letGo: (() => void) | undefined;

  constructor(link: Link, message: Envelope, number: number, peer: Peer, foreign = false) {
    const { runtime } = link;
    this.kind = message.kind as CallKind;
    this.#link = link;
    this.#number = number;
    if (this.kind === "client-stream" || this.kind === "bidi-stream") {
      this.#input = new Inflow(this, link.window());
    }
    this.#call = createCall(
      {
        kind: this.kind,
        message,
        input: this.#input?.items,
        deadline: message.timeoutms === undefined ? undefined : runtime.now() + message.timeoutms,
        context: new Context(peer, foreign),
      },
      runtime,
    );
    this.#call.onAbort(this);
  }

  /** As the handler gets it. */
  get call(): Call {
    return this.#call;
  }

  /** Runs the handler; its answer goes out when it is there. */
  run(handler: Handler): void {
    runHandler(handler, this.#call, this);
  }

  /** It is handed over when the handler's promise resolves; a refusal must leave before the peer takes it for done. */
  answerPending(): void {
    if (isOneWay(this.kind)) this.#letGo = this.#link.hold?.();
  }

  receive(message: Envelope, frame: Frame): void {
    switch (message.kind) {
      case "item":
        return this.#check(this.#input?.push(message, this.#link.codec.bytesOf(frame)));
      case "end":
        return this.#check(this.#input?.end(message.seq));
      case "cancel":
        return this.#giveUp(cancellation(message));
      case "credit": {
        const credit = readCredit(message);
        if (credit) this.#output?.grant(credit);
        return;
      }
      default:
        return this.#check(
          new ParleyError(
            "invalid_argument",
            `a caller does not send messages of kind ${message.kind} on a call of kind ${this.kind}`,
          ),
        );
    }
  }

  /** Refuses the call before any handler saw it. */
  refuse(error: ParleyError): void {
    reportCall(this.#link.log, this.#call, error, { level: "warn", event: "call-refused" });
    this.failed(error);
  }

  drained(reason: ParleyError): void {
    if (this.#over) return;
    this.#sendError(reason);
    this.#giveUp(reason);
  }

  lost(error: ParleyError): void {
    this.#giveUp(error);
  }

  /** The deadline has passed on this side. */
  callAborted(reason: ParleyError): void {
    if (this.#over) return;
    this.#sendError(reason);
    this.#finish(reason);
  }

  grant(credit: Credit): void {
    if (!this.#over)
      this.#write(
        follower("credit", `${this.#call.message.id}.k${credit.items}`, this.#call.message, this.#link.source, credit),
      );
  }

  /** The handler reads no more input; the call goes on. */
  abandoned(): void {
    const { message } = this.#call;
    if (!this.#over)
      this.#write(follower("cancel", `${message.id}.x`, message, this.#link.source, { code: "cancelled" }));
  }

  /** The handler has answered. `hop` are attributes that only this connection has a use for. */
  answer(reply: Reply | undefined, hop?: HopAttributes): void {
    if (this.#over) return leaveOutput(reply);
    if (isOneWay(this.kind)) return this.#finish(undefined);
    try {
      if (this.#call.kind === "request" || this.#call.kind === "client-stream") {
        this.#writeAnswer(messageOf(this.#call, reply), hop);
        this.#finish(undefined);
      } else {
        const items = outputOf(this.#call, reply);
        this.#write(replyEvent(this.#call.message, this.#link.source));
        this.#stream(items);
      }
    } catch (thrown) {
      leaveOutput(reply);
      this.failed(thrown);
    }
  }

  #stream(items: AsyncIterable<Envelope>): void {
    const { outbox, codec, source, peerHop, checkSize } = this.#link;
    this.#output = new Outflow(items, {
      outbox,
      codec,
      call: this.#number,
      opener: this.#call.message,
      side: "s",
      source,
      credit: { items: peerHop.limits.windowItems, bytes: peerHop.limits.windowBytes },
      batchItems: peerHop.batchItems,
      checkSize,
      unsendable: (thrown) => this.#unsendable(thrown),
    });
    this.#output.run().then(
      () => this.#finish(undefined),
      (thrown: unknown) => this.failed(thrown),
    );
  }

  /** The handler has thrown. */
  failed(thrown: unknown): void {
    if (this.#over) return;
    const error = toParleyError(thrown);
    const oneWay = isOneWay(this.kind);
    // No answer carries what it was: it is told here, unless an agent has told it already.
    if (oneWay || error.code === "internal") reportCall(this.#link.log, this.#call, error);
    // Who waits for a notification to be taken over learns that it was refused, and of nothing else.
    if (!oneWay || (this.#link.outbox.confirms && thrown instanceof ParleyError)) this.#sendError(error);
    this.#finish(error);
  }

  #check(problem: ParleyError | undefined): void {
    if (!problem || this.#over) return;
    this.#sendError(problem);
    this.#giveUp(problem);
  }

  /** The caller is gone or broke the rules: the handler is told, nothing more is sent. */
  #giveUp(reason: ParleyError): void {
    if (this.#over) return;
    this.#over = true;
    this.#call.abort(reason);
    this.#finish(reason);
  }

  #finish(reason: ParleyError | undefined): void {
    this.#over = true;
    this.#link.release(this.#number);
    this.#letGo?.();
    this.#call.settle();
    this.#output?.stop();
    this.#input?.items.abort(reason ?? new ParleyError("cancelled", "the call is over"));
  }

  #sendError(error: ParleyError): void {
    this.#output?.seal();
    const { outbox, source } = this.#link;
    outbox.push(
      outbox.encode(errorEvent(this.#call.message, source, error), {
        call: this.#number,
        ...(this.#output ? { seq: this.#output.nextSeq } : {}),
      }),
    );
  }

  #write(message: Envelope, hop?: HopAttributes): void {
    const { outbox, checkSize } = this.#link;
    const frame = outbox.encode(message, hop ? { ...hop, call: this.#number } : { call: this.#number });
    checkSize(frame);
    outbox.push(frame);
  }

  #writeAnswer(message: Envelope, hop: HopAttributes | undefined): void {
    try {
      this.#write(message, hop);
    } catch (thrown) {
      throw this.#unsendable(thrown);
    }
  }

  /** An answer that was made and cannot be sent is this side's fault: only that it is too long concerns the caller. */
  #unsendable(thrown: unknown): ParleyError {
    const error = toParleyError(thrown);
    return error.code === "resource_exhausted"
      ? withOutcome(error, "rejected")
      : new ParleyError("internal", "the handler's answer cannot be sent", { cause: error });
  }
}

function cancellation({ data }: Envelope): ParleyError {
  const code = (data as { code?: unknown } | null | undefined)?.code;
  return errorFor(
    isCode(code) ? code : "cancelled",
    code === "deadline_exceeded" ? "the caller's deadline passed" : "the caller gave up",
    {
      outcome: "unknown",
    },
  );
}

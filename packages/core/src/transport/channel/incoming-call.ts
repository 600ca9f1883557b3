import { createCall, type OwnedCall } from "../../call/call.ts";
import { isCode } from "../../call/code.ts";
import { Context, type Peer } from "../../call/context.ts";
import { errorFor, ParleyError, toParleyError } from "../../call/error.ts";
import { errorEvent } from "../../call/error-event.ts";
import type { Handler, Reply } from "../../call/interceptor.ts";
import { leave } from "../../call/leave.ts";
import { report } from "../../call/report.ts";
import { encode } from "../../envelope/encode.ts";
import type { CallKind, Envelope } from "../../envelope/envelope.ts";
import { follower, reply as replyEvent } from "../../envelope/follow.ts";
import { utf8Length } from "../../envelope/utf8.ts";
import { type Credit, readCredit } from "./credit.ts";
import { Inflow, type InflowOwner } from "./inflow.ts";
import type { Link, LinkedCall } from "./link.ts";
import { Outflow } from "./outflow.ts";
import { withOutcome } from "./time-left.ts";

/** A call that this side answers: running → streaming → over. */
export class IncomingCall implements LinkedCall, InflowOwner {
  readonly kind: CallKind;
  readonly #link: Link;
  readonly #number: number;
  readonly #call: OwnedCall;
  readonly #input: Inflow | undefined;
  #output: Outflow | undefined;
  #over = false;

  constructor(link: Link, message: Envelope, number: number, peer: Peer) {
    const { runtime, hop } = link;
    this.kind = message.kind as CallKind;
    this.#link = link;
    this.#number = number;
    if (this.kind === "client-stream" || this.kind === "bidi-stream") {
      this.#input = new Inflow(this, { items: hop.limits.windowItems, bytes: hop.limits.windowBytes });
    }
    this.#call = createCall(
      {
        kind: this.kind,
        message,
        input: this.#input?.items,
        deadline: message.timeoutms === undefined ? undefined : runtime.now() + message.timeoutms,
        context: new Context(peer),
      },
      runtime,
    );
    this.#call.onAbort(this);
  }

  /** Runs the handler; its answer goes out when it is there. */
  run(handler: Handler): void {
    try {
      const reply = handler(this.#call);
      if (isPromise(reply)) {
        reply.then(
          (late) => this.#answer(late),
          (thrown: unknown) => this.#failed(thrown),
        );
      } else this.#answer(reply);
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  receive(message: Envelope, frame: string): void {
    switch (message.kind) {
      case "item":
        return this.#check(this.#input?.push(message, utf8Length(frame)));
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
    this.#report("warn", "call-refused", error);
    this.#failed(error);
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

  #answer(reply: Reply | undefined): void {
    if (this.#over) return leaveOutput(reply?.output);
    if (this.kind === "notify" || this.kind === "publish") return this.#finish(undefined);
    try {
      if (this.#call.kind === "request" || this.#call.kind === "client-stream") {
        if (!reply?.message)
          throw new ParleyError("internal", `the handler of ${this.#call.message.type} gave no reply message`);
        this.#writeAnswer(reply.message);
        this.#finish(undefined);
      } else {
        if (!reply?.output)
          throw new ParleyError("internal", `the handler of ${this.#call.message.type} gave no output`);
        this.#write(replyEvent(this.#call.message, this.#link.source));
        this.#stream(reply.output);
      }
    } catch (thrown) {
      leaveOutput(reply?.output);
      this.#failed(thrown);
    }
  }

  #stream(items: AsyncIterable<Envelope>): void {
    const { outbox, source, peerHop, checkSize } = this.#link;
    this.#output = new Outflow(items, {
      outbox,
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
      (thrown: unknown) => this.#failed(thrown),
    );
  }

  #failed(thrown: unknown): void {
    if (this.#over) return;
    const error = toParleyError(thrown);
    const oneWay = this.kind === "notify" || this.kind === "publish";
    // No answer carries what it was: it is told here, unless an agent has told it already.
    if (oneWay || error.code === "internal") this.#report("error", "handler-failed", error);
    if (!oneWay) this.#sendError(error);
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
    this.#call.settle();
    this.#output?.stop();
    this.#input?.items.abort(reason ?? new ParleyError("cancelled", "the call is over"));
  }

  #sendError(error: ParleyError): void {
    this.#output?.seal();
    this.#link.outbox.push(
      encode(errorEvent(this.#call.message, this.#link.source, error), {
        call: this.#number,
        ...(this.#output ? { seq: this.#output.nextSeq } : {}),
      }),
    );
  }

  #write(message: Envelope): void {
    const frame = encode(message, { call: this.#number });
    this.#link.checkSize(frame);
    this.#link.outbox.push(frame);
  }

  #writeAnswer(message: Envelope): void {
    try {
      this.#write(message);
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

  #report(level: "warn" | "error", event: string, error: ParleyError): void {
    const { type, id } = this.#call.message;
    report(this.#link.log, error, {
      level,
      event,
      message: `${this.kind} ${type}: ${error.message}${error.cause instanceof ParleyError ? `: ${error.cause.message}` : ""}`,
      fields: { type, id },
    });
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

function isPromise(reply: Reply | Promise<Reply> | undefined): reply is Promise<Reply> {
  return typeof (reply as Partial<Promise<Reply>> | undefined)?.then === "function";
}

function leaveOutput(output: AsyncIterable<Envelope> | undefined): void {
  try {
    if (output) leave(output[Symbol.asyncIterator]());
  } catch {
    // No iterable after all; whoever gave it is told by other means.
  }
}

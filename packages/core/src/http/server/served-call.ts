import {
  type Answerer,
  type CallKind,
  type Context,
  createCall,
  type Envelope,
  type Handler,
  type ItemQueue,
  isOneWay,
  leaveOutput,
  messageOf,
  type OwnedCall,
  outputOf,
  ParleyError,
  type Peer,
  type Reply,
  reportCall,
  runHandler,
  TransportError,
  toParleyError,
} from "../../transport/index.ts";
import type { Abandonable, Desk } from "./desk.ts";
import type { Outlet } from "./outlet.ts";
import type { AnswerStream, StreamOwner } from "./output.ts";

/** What a {@link ServedCall} is made from. */
export interface ServedCallInit {
  readonly kind: CallKind;
  readonly message: Envelope;
  readonly context: Context;
  readonly outlet: Outlet;
  readonly input?: ItemQueue<Envelope> | undefined;
  /** Who sent it in a batch, and so cancels it by a message: there is no request of its own to close. */
  readonly sender?: Peer | undefined;
  /** Makes the answer of a stream; absent where there is no place for one. */
  readonly stream?: ((items: AsyncIterable<Envelope>, owner: StreamOwner) => AnswerStream) | undefined;
}

/** A call that this side answers: running → streaming → over. */
export class ServedCall implements Answerer, Abandonable, StreamOwner {
  place = -1;
  readonly #desk: Desk;
  readonly #init: ServedCallInit;
  readonly #call: OwnedCall;
  #output: AnswerStream | undefined;
  #over = false;

  constructor(desk: Desk, init: ServedCallInit) {
    const { kind, message, input, context } = init;
    this.#desk = desk;
    this.#init = init;
    const { timeoutms } = message;
    const deadline = timeoutms === undefined ? undefined : desk.runtime.now() + timeoutms;
    this.#call = createCall({ kind, message, input, deadline, context }, desk.runtime);
  }

  /** Nobody but its sender knows its id, which cannot be guessed; and an authenticated sender vouches for itself. */
  isMeantBy({ inreplyto, source }: Envelope, { principal }: Peer): boolean {
    const { message, sender } = this.#init;
    return (
      message.id === inreplyto && message.source === source && sender !== undefined && sender.principal === principal
    );
  }

  get over(): boolean {
    return this.#over;
  }

  /** Runs the handler; its answer goes out when it is there. Returns whether the call is over already. */
  run(handler: Handler): boolean {
    const { timeoutms } = this.#call.message;
    if (timeoutms !== undefined && timeoutms <= 0) {
      this.#desk.began(this);
      this.failed(
        new TransportError("deadline_exceeded", "the deadline had passed before the call arrived", {
          outcome: "not-sent",
        }),
      );
      return true;
    }
    this.#desk.began(this);
    runHandler(handler, this.#call, this);
    return this.#over;
  }

  /** The caller has left: the handler is told, nothing is sent. */
  left(reason: ParleyError = new ParleyError("cancelled", "the caller gave up", { outcome: "unknown" })): void {
    // A message without an answer was handed over, and its sender need not wait.
    if (!this.#isOneWay) this.#giveUp(reason);
  }

  /** The response has closed: the caller has left, unless it may come back for the rest of its stream. */
  hungUp(): void {
    if (!this.#output?.detach()) this.left();
  }

  ended(): void {
    if (!this.#over) this.#finish(undefined);
  }

  failed(thrown: unknown): void {
    if (this.#over) return;
    const error = toParleyError(thrown);
    if (error.code === "internal") reportCall(this.#desk.log, this.#call, error);
    // A refusal is the sender's business; how the handler of a message without an answer fares is not.
    if (this.#isOneWay && !(thrown instanceof ParleyError)) this.#init.outlet.accept();
    else this.#tell(error);
    this.#finish(error);
  }

  abandon(reason: ParleyError): void {
    if (this.#over) return;
    this.#tell(reason);
    this.#giveUp(reason);
  }

  /** The deadline has passed on this side. */
  callAborted(reason: ParleyError): void {
    if (this.#over) return;
    this.#tell(reason);
    this.#finish(reason);
  }

  get #isOneWay(): boolean {
    return isOneWay(this.#init.kind);
  }

  /** The handler has answered. */
  answer(reply: Reply | undefined): void {
    if (this.#over) return leaveOutput(reply);
    const { kind, outlet, stream, message } = this.#init;
    try {
      if (this.#isOneWay) {
        outlet.accept();
        this.#finish(undefined);
      } else if (kind === "request" || kind === "client-stream") {
        outlet.reply(messageOf(this.#call, reply));
        this.#finish(undefined);
      } else {
        const items = outputOf(this.#call, reply);
        if (!stream) throw new ParleyError("internal", `there is no place here for the stream of ${message.type}`);
        this.#call.onAbort(this);
        this.#output = stream(items, this);
        this.#output.start();
      }
    } catch (thrown) {
      leaveOutput(reply);
      this.failed(thrown);
    }
  }

  #tell(error: ParleyError): void {
    if (this.#output?.started) this.#output.fail(error);
    else this.#init.outlet.fail(error);
  }

  #giveUp(reason: ParleyError): void {
    if (this.#over) return;
    this.#over = true;
    this.#call.abort(reason);
    this.#finish(reason);
  }

  #finish(reason: ParleyError | undefined): void {
    this.#over = true;
    this.#desk.ended(this);
    this.#call.settle();
    this.#output?.stop();
    this.#init.input?.abort(reason ?? new ParleyError("cancelled", "the call is over"));
  }
}

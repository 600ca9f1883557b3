import {
  type Answerer,
  type CallKind,
  Context,
  createCall,
  type Envelope,
  type ItemQueue,
  isOneWay,
  leaveOutput,
  messageOf,
  type OwnedCall,
  outputOf,
  ParleyError,
  type Presented,
  type Reply,
  reportCall,
  runHandler,
  TransportError,
  toParleyError,
  withOutcome,
} from "@parley/core/transport";
import { encodeEvent } from "../wire/encode-event.ts";
import { ItemPump } from "../wire/item-pump.ts";
import { EMPTY } from "../wire/methods.ts";
import { statusOf } from "../wire/status.ts";
import type { Desk, OpenCall } from "./desk.ts";
import type { Outlet, StreamOutlet } from "./outlet.ts";

/** What a {@link ServedCall} is made from. */
export interface ServedCallInit {
  readonly kind: CallKind;
  readonly message: Envelope;
  /** gRPC's name of the connection. */
  readonly peer: string;
  readonly presented: Presented;
  /** On the runtime's clock. */
  readonly deadline: number | undefined;
  readonly outlet: Outlet;
  readonly input?: ItemQueue<Envelope> | undefined;
}

/** A caller cancels when its deadline passes, a little before this side's clock says so. */
const DEADLINE_SLACK_MS = 20;

/** A native call that this side answers: running → streaming → over. */
export class ServedCall implements Answerer, OpenCall {
  readonly peer: string;
  readonly #desk: Desk;
  readonly #init: ServedCallInit;
  readonly #call: OwnedCall;
  #output: ItemPump | undefined;
  #over = false;

  constructor(desk: Desk, init: ServedCallInit) {
    const { kind, message, input, peer, presented, deadline } = init;
    this.peer = peer;
    this.#desk = desk;
    this.#init = init;
    const context = new Context(desk.peerOf(peer), false, presented);
    this.#call = createCall({ kind, message, input, deadline, context }, desk.runtime);
  }

  get endless(): boolean {
    return this.#init.kind === "subscribe";
  }

  get over(): boolean {
    return this.#over;
  }

  /** Runs the handler; its answer goes out when it is there. */
  run(): void {
    this.#desk.began(this);
    runHandler(this.#desk.handler, this.#call, this);
  }

  /** gRPC says that the caller is gone. After the end it says so too, and that is nothing new. */
  left(): void {
    // A message without an answer was handed over, and its sender need not wait.
    if (this.#over || this.#isOneWay) return;
    const { deadline } = this.#init;
    const { runtime } = this.#desk;
    const late = deadline !== undefined && runtime.now() >= deadline - DEADLINE_SLACK_MS;
    this.#giveUp(
      late
        ? new TransportError("deadline_exceeded", "the caller's deadline passed", { outcome: "unknown" })
        : new ParleyError("cancelled", "the caller gave up", { outcome: "unknown" }),
    );
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
    const { kind, outlet } = this.#init;
    try {
      if (this.#isOneWay) {
        outlet.reply(EMPTY);
        this.#finish(undefined);
      } else if (kind === "request" || kind === "client-stream") {
        outlet.reply(this.#sendable(messageOf(this.#call, reply)));
        this.#finish(undefined);
      } else {
        const items = outputOf(this.#call, reply);
        this.#call.onAbort(this);
        this.#stream(items, outlet.stream as StreamOutlet);
      }
    } catch (thrown) {
      leaveOutput(reply);
      this.failed(thrown);
    }
  }

  #stream(items: AsyncIterable<Envelope>, stream: StreamOutlet): void {
    stream.accept();
    const pump = new ItemPump(items, {
      sink: stream,
      encode: (item, seq) => this.#sendable(item, seq),
      runtime: this.#desk.runtime,
    });
    this.#output = pump;
    pump.run().then(
      (complete) => {
        if (!complete || this.#over) return;
        stream.end();
        this.#finish(undefined);
      },
      (thrown: unknown) => this.failed(thrown),
    );
  }

  /** An answer that was made and cannot be sent is this side's fault: only that it is too long concerns the caller. */
  #sendable(message: Envelope, seq?: number): Buffer {
    const { maxMessageBytes } = this.#desk.limits;
    try {
      const bytes = encodeEvent(message, seq === undefined ? {} : { seq });
      if (bytes.length <= maxMessageBytes) return bytes;
      throw new TransportError(
        "resource_exhausted",
        `the answer takes ${bytes.length} bytes, and at most ${maxMessageBytes} are sent; send it in parts (a stream)`,
      );
    } catch (thrown) {
      const error = toParleyError(thrown);
      if (error.code === "resource_exhausted") throw withOutcome(error, "rejected");
      throw new ParleyError("internal", "the handler's answer cannot be sent", { cause: error });
    }
  }

  /** The handler, or the stream of its answer, has failed. */
  failed(thrown: unknown): void {
    if (this.#over) return;
    const error = toParleyError(thrown);
    if (error.code === "internal") reportCall(this.#desk.log, this.#call, error);
    // A refusal is the sender's business; how the handler of a message without an answer fares is not.
    if (this.#isOneWay && !(thrown instanceof ParleyError)) this.#init.outlet.reply(EMPTY);
    else this.#tell(error);
    this.#finish(error);
  }

  #tell(error: ParleyError): void {
    this.#init.outlet.fail(statusOf(error, this.#init.message, this.#desk.source));
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

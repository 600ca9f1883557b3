import type { Link, OpenCall, Settle } from "@parley/core/http/client";
import {
  type AbortListener,
  type Call,
  type Envelope,
  ParleyError,
  readError,
  withOutcome,
} from "@parley/core/transport";

/** The request that carries a {@link BatchedCall}. */
export interface Carrier {
  /** Whether any of it can have been sent. */
  readonly started: boolean;
  /** The call was given up: the peer need not go on with it. */
  givenUp(call: BatchedCall): void;
}

/** A call that shares its request with others. */
export class BatchedCall implements AbortListener, OpenCall {
  place = -1;
  readonly message: Envelope;
  readonly #link: Link;
  readonly #call: Call;
  readonly #settle: Settle;
  #carrier: Carrier | undefined;
  #over = false;

  constructor(link: Link, call: Call, settle: Settle) {
    this.message = call.message;
    this.#link = link;
    this.#call = call;
    this.#settle = settle;
  }

  /** The request is about to be made. */
  begin(carrier: Carrier): void {
    this.#carrier = carrier;
    this.#link.began(this);
    this.#call.onAbort(this);
  }

  /** The peer's answer. */
  answered(message: Envelope): void {
    if (this.#over) return;
    const oneWay = this.#call.kind !== "request";
    if (message.kind === "error") return this.fail(readError(message.data));
    if (message.kind !== "reply" && message.kind !== undefined) {
      return this.fail(
        new ParleyError("internal", `${this.#link.address} answered a batch with a message of kind ${message.kind}`, {
          outcome: "unknown",
        }),
      );
    }
    this.#finish();
    this.#settle.resolve(oneWay ? {} : { message });
  }

  fail(error: ParleyError): void {
    if (this.#over) return;
    this.#finish();
    this.#settle.reject(error);
  }

  lost(error: ParleyError): void {
    if (this.#over) return;
    this.fail(withOutcome(error, this.#carrier?.started ? "unknown" : "not-sent"));
    this.#carrier?.givenUp(this);
  }

  callAborted(reason: ParleyError): void {
    if (this.#over) return;
    this.fail(this.#carrier?.started ? reason : withOutcome(reason, "not-sent"));
    this.#carrier?.givenUp(this);
  }

  /** It waits for its one answer, and until then nothing shows that the peer is there. */
  checkSilence(): boolean {
    return !this.#over;
  }

  #finish(): void {
    this.#over = true;
    this.#link.settled(this);
    this.#call.offAbort(this);
  }
}

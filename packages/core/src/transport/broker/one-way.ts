import type { AbortListener, Call } from "../../call/call.ts";
import { type ParleyError, toParleyError } from "../../call/error.ts";
import type { Reply } from "../../call/interceptor.ts";
import { withOutcome } from "../../call/outcome.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { timeLeft } from "../channel/time-left.ts";
import type { Destination } from "./broker.ts";
import { checkMessageSize } from "./call-mail.ts";
import type { Desk } from "./desk.ts";
import { messageFrame } from "./message-frame.ts";

/** What a message without an answer is sent from. */
export interface OneWayInit {
  readonly to: Destination;
  /** The message as it leaves. */
  readonly message: (timeoutms: number | undefined) => Envelope;
  /** Longest message that the other side takes, bytes. */
  readonly maxMessageBytes: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: ParleyError) => void;
  /** It is over. */
  readonly over: (oneWay: OneWay) => void;
}

const ACCEPTED: Reply = {};

/** A notification or publication on its way: over when the broker has acknowledged it, its only answer. */
export class OneWay implements AbortListener {
  readonly #desk: Desk;
  readonly #call: Call;
  readonly #init: OneWayInit;
  readonly #sendWhenWritable = (): void => this.#send();
  #sent = false;
  #over = false;

  constructor(desk: Desk, call: Call, init: OneWayInit) {
    this.#desk = desk;
    this.#call = call;
    this.#init = init;
  }

  /** Sends it as soon as there is room. */
  start(): void {
    this.#call.onAbort(this);
    this.#desk.post.whenWritable(this.#sendWhenWritable);
  }

  callAborted(reason: ParleyError): void {
    this.#fail(withOutcome(reason, this.#sent ? "unknown" : "not-sent"));
  }

  /** The link has ended, or is about to. */
  lost(error: ParleyError): void {
    this.#fail(withOutcome(error, this.#sent ? "unknown" : "not-sent"));
  }

  #send(): void {
    if (this.#over) return;
    const { post, runtime, maxMessageBytes } = this.#desk;
    try {
      const frame = messageFrame(this.#init.message(timeLeft(this.#call, runtime)));
      checkMessageSize(frame, Math.min(maxMessageBytes, this.#init.maxMessageBytes));
      this.#sent = true;
      post.send(this.#init.to, frame, (error) => {
        if (error) this.#fail(error);
        else if (this.#finish()) this.#init.resolve(ACCEPTED);
      });
    } catch (thrown) {
      this.#fail(toParleyError(thrown));
    }
  }

  #fail(error: ParleyError): void {
    if (this.#finish()) this.#init.reject(error);
  }

  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#call.offAbort(this);
    this.#desk.post.forget(this.#sendWhenWritable);
    this.#init.over(this);
    return true;
  }
}

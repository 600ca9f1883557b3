import {
  checkCopies,
  checkUpload,
  type Desk,
  type Exchange,
  eventFormat,
  openedKind,
  refusalOf,
  refuseExchange,
  type ServedCall,
  seqAfter,
  serveCall,
  withTrace,
} from "@parley/core/http";
import {
  type CallKind,
  type DeadlineListener,
  decode,
  type Envelope,
  type ItemSource,
  PacedItems,
  ParleyError,
  TransportError,
  toParleyError,
  type WatchedDeadline,
} from "@parley/core/transport";
import { LineReader } from "../wire/line-reader.ts";

/** A request that is a stream of events, a line each: the opener, items, and an explicit end. Serves the call as soon as the opener is there. */
export class Upload implements ItemSource, DeadlineListener {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #type: string;
  readonly #taken: () => void;
  readonly #lines: LineReader;
  readonly #input = new PacedItems(this);
  readonly #deadline: WatchedDeadline;
  #served: ServedCall | undefined;
  #seq = 0;
  /** Nothing more of the body counts: it has ended, or the call is over. */
  #over = false;

  /** @param taken called once, when the request is a call or has come to nothing. */
  constructor(desk: Desk, exchange: Exchange, type: string, taken: () => void) {
    const { runtime, hop, requestTimeoutMs } = desk;
    const { request } = exchange;
    this.#desk = desk;
    this.#exchange = exchange;
    this.#type = type;
    this.#taken = taken;
    this.#lines = new LineReader(hop.limits.maxMessageBytes);
    this.#deadline = runtime.deadlines.add(runtime.now() + requestTimeoutMs, this);
    request.on("data", (chunk: Buffer) => this.#data(chunk));
    request.on("end", () => this.#ended());
    request.on("close", () => this.#closed());
  }

  pause(): void {
    if (!this.#over) this.#exchange.request.pause();
  }

  resume(): void {
    this.#exchange.request.resume();
  }

  /** The handler reads no more; the call goes on, and what still comes is read and dropped. */
  abandoned(): void {
    this.#over = true;
    this.#exchange.request.resume();
  }

  /** The opener has not come. */
  onDeadline(): void {
    this.#refuse(
      new TransportError("deadline_exceeded", "the first line of the upload did not arrive in time", {
        outcome: "not-sent",
      }),
      408,
    );
  }

  #data(chunk: Buffer): void {
    if (this.#over || this.#served?.over) return;
    try {
      this.#lines.read(chunk, (line) => {
        if (!this.#served) this.#open(line);
        else if (!this.#over) this.#follow(decode(line), line.length);
      });
    } catch (thrown) {
      this.#breach(toParleyError(thrown));
    }
  }

  #open(line: string): void {
    const { request } = this.#exchange;
    const message = decode(line);
    checkCopies(message, this.#type, request.headers);
    const kind = openedKind(message);
    if (kind === undefined) {
      throw new ParleyError(
        "invalid_argument",
        "the first event of an upload says what it opens: kind client-stream or bidi-stream",
        { outcome: "not-sent" },
      );
    }
    checkUpload(kind, true);
    this.#serve(withTrace(message, request.headers), kind);
  }

  #serve(message: Envelope, kind: CallKind): void {
    this.#desk.runtime.deadlines.remove(this.#deadline);
    this.#taken();
    this.#served = serveCall(this.#desk, this.#exchange, {
      message,
      kind,
      format: eventFormat,
      foreign: false,
      input: this.#input.queue,
    });
  }

  #follow(message: Envelope, chars: number): void {
    switch (message.kind) {
      case "item": {
        this.#checkSeq(message);
        this.#seq = seqAfter(this.#seq);
        return this.#input.push(message, chars);
      }
      case "end":
        this.#checkSeq(message);
        this.#over = true;
        return this.#input.queue.end();
      default:
        throw new ParleyError(
          "invalid_argument",
          `an upload holds items and an end after its opener, not a message of kind ${message.kind}`,
        );
    }
  }

  #checkSeq({ seq }: Envelope): void {
    const expected = seqAfter(this.#seq);
    if (seq === undefined || seq === expected) return;
    throw new ParleyError("data_loss", `items are missing from the upload: expected number ${expected}, got ${seq}`, {
      outcome: "unknown",
    });
  }

  /** The body is complete. Without an `end` in it, the caller gave up. */
  #ended(): void {
    if (this.#over) return;
    if (this.#served) {
      this.#over = true;
      this.#served.abandon(
        new ParleyError("cancelled", "the upload ended without an end event", { outcome: "unknown" }),
      );
    } else {
      this.#refuse(
        new ParleyError("invalid_argument", "the upload has no first line, which is the event that opens the call", {
          outcome: "not-sent",
        }),
      );
    }
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#served) this.#served.left();
    else this.#settle();
  }

  #breach(error: ParleyError): void {
    if (!this.#served) return this.#refuse(error);
    this.#over = true;
    this.#served.abandon(error);
  }

  #refuse(error: ParleyError, status?: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle();
    const refusal = refusalOf(error);
    refuseExchange(this.#desk, this.#exchange, status === undefined ? refusal : { ...refusal, status });
  }

  #settle(): void {
    this.#desk.runtime.deadlines.remove(this.#deadline);
    this.#taken();
  }
}

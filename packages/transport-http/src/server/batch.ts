import {
  type BodyReader,
  checkEventCount,
  checkUpload,
  type Desk,
  type Exchange,
  endResponse,
  mediaTypes,
  type Outlet,
  openedKind,
  type Refusal,
  readEventArray,
  readText,
  refusalOf,
  refuseExchange,
  respond,
  ServedCall,
  sendable,
  writeHead,
} from "@parley/core/http";
import {
  type CallKind,
  decode,
  type Envelope,
  encode,
  errorEvent,
  newId,
  type Opener,
  ParleyError,
  readEvent,
  reply,
  toParleyError,
} from "@parley/core/transport";

/**
 * A request that holds several messages, each a call of its own. Every one is answered by a line, when it is ready: its reply or error,
 * with the opener's id in `inreplyto`; a message without an answer, by a reply without data.
 */
export class Batch implements BodyReader {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #inLines: boolean;
  readonly #taken: () => void;
  readonly #served = new Set<ServedCall>();
  #unanswered = 0;
  #text = "";
  #flushDue = false;

  /**
   * @param inLines whether there is an event on every line, or else an array of them.
   * @param taken called once, when the request has become calls or come to nothing.
   */
  constructor(desk: Desk, exchange: Exchange, inLines: boolean, taken: () => void) {
    this.#desk = desk;
    this.#exchange = exchange;
    this.#inLines = inLines;
    this.#taken = taken;
  }

  complete(body: Buffer): void {
    let events: readonly unknown[];
    try {
      events = this.#inLines ? checkEventCount(linesOf(body)) : readEventArray(body);
    } catch (thrown) {
      return this.refused(refusalOf(toParleyError(thrown)));
    }
    this.#taken();
    this.#unanswered = events.length;
    if (events.length === 0) this.#flushSoon();
    for (const event of events) this.#open(event);
    this.#exchange.response.on("close", () => {
      for (const served of this.#served) served.left();
    });
  }

  refused(refusal: Refusal): void {
    this.#taken();
    refuseExchange(this.#desk, this.#exchange, refusal);
  }

  lost(): void {
    this.#taken();
  }

  #open(event: unknown): void {
    let message: Envelope;
    try {
      message = this.#inLines ? decode(event as string) : readEvent(event);
      if (message.kind === "cancel") {
        this.#desk.cancel(message, this.#desk.peerOf(this.#exchange.request));
        return this.#outlet(message).accept();
      }
      const kind = openedKind(message);
      if (kind !== undefined) checkUpload(kind, false);
      if (kind !== undefined) return this.#serve(message, kind);
    } catch (thrown) {
      this.#desk.refused();
      return this.#outlet(openerOf(event, this.#desk)).fail(toParleyError(thrown));
    }
    const { request } = this.#exchange;
    const operation = this.#desk.description.operation(message.type, () => this.#desk.contextOf(request, false));
    Promise.resolve(operation).then(
      ({ kind }) => this.#serve(message, kind),
      (thrown: unknown) => this.#outlet(message).fail(toParleyError(thrown)),
    );
  }

  #serve(message: Envelope, kind: CallKind): void {
    const { request, response } = this.#exchange;
    if (response.destroyed) return;
    const outlet = this.#outlet(message);
    if (kind !== "request" && kind !== "notify" && kind !== "publish") {
      return outlet.fail(
        new ParleyError("invalid_argument", `a batch holds single messages; send the ${kind} in a request of its own`, {
          outcome: "not-sent",
        }),
      );
    }
    const full = this.#desk.fullness();
    if (full) return outlet.fail(full);
    const served = new ServedCall(this.#desk, {
      kind,
      message,
      sender: this.#desk.peerOf(request),
      context: this.#desk.contextOf(request, false),
      outlet,
    });
    if (!served.run(this.#desk.handler)) this.#served.add(served);
  }

  #outlet(opener: Opener): Outlet {
    const { source } = this.#desk;
    const inreplyto = opener.id;
    let answered = false;
    const answer = (message: Envelope): void => {
      if (answered) return;
      const line = sendable(opener, () => encode(message, { inreplyto }));
      answered = true;
      this.#answer(line);
    };
    return {
      accept: () => answer(reply(opener, source)),
      reply: answer,
      fail: (error) => answer(errorEvent(opener, source, error)),
    };
  }

  #answer(line: string): void {
    this.#unanswered--;
    this.#text += `${line}\n`;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#desk.runtime.defer(() => this.#flush());
  }

  #flush(): void {
    this.#flushDue = false;
    const { response } = this.#exchange;
    const text = this.#text;
    this.#text = "";
    if (response.destroyed) return;
    const done = this.#unanswered === 0;
    const headers = ["Content-Type", mediaTypes.events];
    if (done && !response.headersSent) return respond(this.#desk, this.#exchange, { status: 200, headers, body: text });
    if (!response.headersSent) writeHead(this.#desk, this.#exchange, 200, headers);
    if (done) endResponse(this.#desk, this.#exchange, text);
    else response.write(text);
  }
}

/** @throws ParleyError `invalid_argument` */
function linesOf(body: Buffer): readonly string[] {
  return readText(body)
    .split("\n")
    .filter((line) => line.trim() !== "");
}

/** What an error can refer to when the event is not one; an id of its own where that has none to offer. */
function openerOf(event: unknown, { runtime }: Desk): Opener {
  const { id, type } = (typeof event === "object" && event !== null ? event : {}) as Readonly<Record<string, unknown>>;
  return { id: isName(id) ? id : newId(runtime), type: isName(type) ? type : "parley.unreadable.v1" };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && /^[!#$&-[\]-~]{1,250}$/.test(value);
}

import {
  type CallKind,
  decode,
  decodeData,
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
import { mediaTypes } from "../wire/media-type.ts";
import { readText } from "../wire/text.ts";
import type { BodyReader } from "./body.ts";
import type { Desk } from "./desk.ts";
import { type Exchange, refuseExchange } from "./exchange.ts";
import { sendable } from "./format.ts";
import { openedKind } from "./opener.ts";
import type { Outlet } from "./outlet.ts";
import { peerOf } from "./peer.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { endResponse, respond, writeHead } from "./response.ts";
import { ServedCall } from "./served-call.ts";

/** Levels of data, and two around it: the batch and the event. */
const MAX_DEPTH = 64 + 2;

/** Events in one batch. */
export const MAX_BATCH_EVENTS = 256;

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
      events = checkCount(this.#inLines ? linesOf(body) : arrayOf(body));
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
        this.#desk.cancel(this.#nameOf(message, message.inreplyto));
        return this.#outlet(message).accept();
      }
      const kind = openedKind(message, false);
      if (kind !== undefined) return this.#serve(message, kind);
    } catch (thrown) {
      this.#desk.refused();
      return this.#outlet(openerOf(event, this.#desk)).fail(toParleyError(thrown));
    }
    const operation = this.#desk.description.operation(message.type);
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
      name: this.#nameOf(message, message.id),
      foreign: false,
      peer: peerOf(request.socket).peer,
      outlet,
    });
    if (!served.run(this.#desk.handler)) this.#served.add(served);
  }

  /** Nobody but its sender knows it: ids cannot be guessed, and an authenticated sender vouches for itself. */
  #nameOf({ source }: Envelope, id: string | undefined): string {
    return `${peerOf(this.#exchange.request.socket).peer.principal ?? ""} ${source} ${id}`;
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
function arrayOf(body: Buffer): readonly unknown[] {
  const events = decodeData(readText(body), { maxDepth: MAX_DEPTH });
  if (Array.isArray(events)) return events;
  throw new ParleyError("invalid_argument", "a batch is a JSON array of events", { outcome: "not-sent" });
}

/** @throws ParleyError `invalid_argument` */
function linesOf(body: Buffer): readonly string[] {
  return readText(body)
    .split("\n")
    .filter((line) => line.trim() !== "");
}

/** @throws ParleyError `resource_exhausted` */
function checkCount(events: readonly unknown[]): readonly unknown[] {
  if (events.length <= MAX_BATCH_EVENTS) return events;
  const message = `a batch of ${events.length} events is over the limit of ${MAX_BATCH_EVENTS}`;
  throw new ParleyError("resource_exhausted", message, { outcome: "not-sent" });
}

/** What an error can refer to when the event is not one; an id of its own where that has none to offer. */
function openerOf(event: unknown, { runtime }: Desk): Opener {
  const { id, type } = (typeof event === "object" && event !== null ? event : {}) as Readonly<Record<string, unknown>>;
  return { id: isName(id) ? id : newId(runtime), type: isName(type) ? type : "parley.unreadable.v1" };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && /^[!#$&-[\]-~]{1,250}$/.test(value);
}

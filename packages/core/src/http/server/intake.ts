import { type CallKind, type Envelope, toParleyError } from "../../transport/index.ts";
import type { BodyReader } from "./body.ts";
import type { NamedOperation } from "./description.ts";
import type { Desk } from "./desk.ts";
import { type Exchange, refuseExchange, serveCall } from "./exchange.ts";
import { checkUpload, hasInput, openedKind, readOpener, wrapData } from "./opener.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { UplinkInput } from "./uplink-input.ts";

/** Modes of a request that is one message. */
export type SingleMode = "structured" | "binary" | "plain";

/** What the path of a request says. */
export interface Target {
  /** Type of the message, or its name without a version. */
  readonly named: string;
  /** Topic or filter, for callers who have no other place for it. */
  readonly subject: string | undefined;
}

/** A request that is one message: read, then served. */
export class Intake implements BodyReader {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #mode: SingleMode;
  readonly #target: Target;
  readonly #taken: () => void;

  /** @param taken called once, when the request is a call or has come to nothing. */
  constructor(desk: Desk, exchange: Exchange, mode: SingleMode, target: Target, taken: () => void) {
    this.#desk = desk;
    this.#exchange = exchange;
    this.#mode = mode;
    this.#target = target;
    this.#taken = taken;
  }

  complete(body: Buffer): void {
    try {
      if (this.#mode === "plain") this.#data(body);
      else this.#event(body, this.#mode);
    } catch (thrown) {
      this.refused(refusalOf(toParleyError(thrown)));
    }
  }

  refused(refusal: Refusal): void {
    this.#taken();
    refuseExchange(this.#desk, this.#exchange, refusal);
  }

  lost(): void {
    this.#taken();
  }

  #event(body: Buffer, mode: "structured" | "binary"): void {
    const { request } = this.#exchange;
    const message = readOpener(request, body, mode, this.#target.named);
    const kind = openedKind(message);
    if (kind !== undefined) this.#serve(message, kind);
    else this.#whenKnown(message.type, (operation) => this.#serve(message, operation.kind));
  }

  #data(body: Buffer): void {
    const { named, subject } = this.#target;
    this.#whenKnown(named, (operation) => {
      this.#serve(wrapData(this.#exchange.request, body, operation, subject, this.#desk.runtime), operation.kind);
    });
  }

  /** Goes on at once if the operation is known already. */
  #whenKnown(named: string, next: (operation: NamedOperation) => void): void {
    const checked = (operation: NamedOperation): void => {
      // Only an event of its own names the call that more could follow.
      if (this.#mode === "plain") checkUpload(operation.kind, false);
      next(operation);
    };
    const operation = this.#desk.description.operation(named, () => this.#desk.contextOf(this.#exchange.request, true));
    if (!(operation instanceof Promise)) return checked(operation);
    operation.then(checked).catch((thrown: unknown) => this.refused(refusalOf(toParleyError(thrown))));
  }

  get #principal(): string | undefined {
    return this.#desk.peers.of(this.#exchange.request.socket).peer.principal;
  }

  #serve(message: Envelope, kind: CallKind): void {
    this.#taken();
    if (this.#exchange.response.destroyed) return;
    serveCall(this.#desk, this.#exchange, {
      message,
      kind,
      format: this.#desk.formatOf(this.#exchange, this.#mode, kind),
      uplink: hasInput(kind) ? new UplinkInput(message.id, this.#principal) : undefined,
      foreign: this.#mode === "plain",
    });
  }
}

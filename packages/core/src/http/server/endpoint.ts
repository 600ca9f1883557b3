import type { IncomingMessage, ServerResponse } from "node:http";
import { presentedHeaders } from "../../node/index.ts";
import {
  type CallKind,
  type CloseOptions,
  type ConnectionStats,
  Context,
  type Envelope,
  encodeData,
  type Handler,
  type Hop,
  type ListenOptions,
  type Log,
  type ParleyError,
  type Peer,
  type Runtime,
  shortId,
  systemRuntime,
  TransportError,
  toParleyError,
} from "../../transport/index.ts";
import { HEARTBEAT_MS, webLimits } from "../call-options.ts";
import { REQUEST_TIMEOUT_MS, type WebHandlerOptions } from "../options.ts";
import { mediaTypes } from "../wire/media-type.ts";
import { Roster } from "../wire/roster.ts";
import { Bodies, type BodyReader } from "./body.ts";
import { Description } from "./description.ts";
import type { Abandonable, Desk } from "./desk.ts";
import { type Exchange, refuseExchange } from "./exchange.ts";
import type { Format } from "./format.ts";
import { type GuardRules, guard } from "./guard.ts";
import { Intake, type SingleMode, type Target } from "./intake.ts";
import { modeOf } from "./mode.ts";
import { grantOrigin, preflightHeaders } from "./origin.ts";
import { type AnswerStream, Output, type OutputInit } from "./output.ts";
import { withOwnOperations } from "./own-operations.ts";
import { Peers } from "./peers.ts";
import { misplaced, type Refusal, refusalOf, unsupportedType } from "./refusal.ts";
import { respond } from "./response.ts";
import { routeOf } from "./route.ts";
import { UplinkIntake } from "./uplink-intake.ts";
import { Uplinks } from "./uplinks.ts";
import type { Wire } from "./wire.ts";

/** Whoever is turned away for lack of room may come again after so long. */
const RETRY_AFTER_MS = 1_000;

const UNCACHED: readonly string[] = ["Cache-Control", "no-store"];

/** Where calls arrive as HTTP requests: everything beneath one path, whatever server it is on. */
export class Endpoint implements Desk {
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  readonly hop: Hop;
  readonly source: string;
  readonly handler: Handler;
  readonly description: Description;
  readonly requestTimeoutMs: number;
  readonly peers: Peers;
  readonly uplinks: Uplinks = new Uplinks();
  readonly wire: Wire;
  readonly #rules: GuardRules;
  readonly #bodies: Bodies;
  readonly #calls = new Roster<Abandonable>();
  /** Requests that are not calls yet. */
  #arriving = 0;
  #refused = 0;
  closing = false;
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #taken = (): void => {
    this.#arriving--;
    this.#checkIdle();
  };

  constructor(
    handler: Handler,
    wire: Wire,
    options: WebHandlerOptions,
    { runtime = systemRuntime, log }: ListenOptions = {},
  ) {
    const {
      limits = webLimits,
      heartbeatMs = HEARTBEAT_MS,
      requestTimeoutMs = REQUEST_TIMEOUT_MS,
      allowedHosts,
      allowedOrigins = [],
    } = options;
    this.wire = wire;
    this.runtime = runtime;
    this.log = log;
    this.hop = { limits, batchItems: 1, heartbeatMs, ...wire.offer };
    this.source = `/${shortId(runtime)}`;
    this.handler = withOwnOperations(handler, this);
    this.description = new Description(handler, this.hop, this.source, runtime);
    this.requestTimeoutMs = requestTimeoutMs;
    this.peers = new Peers(wire.transport);
    this.#bodies = new Bodies(runtime, limits.maxMessageBytes, requestTimeoutMs);
    this.#rules = { allowedHosts: allowedHosts?.map((name) => name.toLowerCase()), allowedOrigins };
  }

  /** Answers a request. `url` is its target beneath the address: path and query. */
  serve(request: IncomingMessage, response: ServerResponse, url: string): void {
    const exchange: Exchange = { request, response };
    const refusal = guard(request, this.#rules, this.peers);
    if (refusal) return refuseExchange(this, exchange, refusal);
    if (this.#rules.allowedOrigins.length > 0) grantOrigin(request, response, this.#rules.allowedOrigins);
    const route = routeOf(request.method, url, this.wire.read !== undefined);
    switch (route.to) {
      case "call":
        return this.#call(exchange, route.target);
      case "batch":
        return this.#batch(exchange);
      case "stream":
        return this.wire.read?.(this, exchange, route.target, route.query);
      case "description":
        return this.#describe(exchange);
      case "health":
        return respond(this, exchange, { status: this.closing ? 503 : 200, headers: UNCACHED, body: "" });
      case "options":
        return respond(this, exchange, {
          status: 204,
          headers: ["Allow", route.methods, ...preflightHeaders(request, route.methods)],
          body: undefined,
        });
      case "refusal":
        return refuseExchange(this, exchange, route.refusal);
    }
  }

  formatOf(exchange: Exchange, mode: SingleMode, kind: CallKind): Format {
    return this.wire.formatOf(exchange, mode, kind);
  }

  stream(exchange: Exchange, items: AsyncIterable<Envelope>, init: OutputInit): AnswerStream {
    return this.wire.stream?.(this, exchange, items, init) ?? new Output(this, exchange, items, init);
  }

  peerOf(request: IncomingMessage): Peer {
    const { peer } = this.peers.of(request.socket);
    return this.wire.peer?.(this, request) ?? peer;
  }

  contextOf(request: IncomingMessage, foreign: boolean): Context {
    return new Context(this.peerOf(request), foreign, presentedHeaders(request.rawHeaders));
  }

  refused(): void {
    this.#refused++;
  }

  began(call: Abandonable): void {
    this.#calls.add(call);
  }

  ended(call: Abandonable): void {
    this.#calls.delete(call);
    this.#checkIdle();
  }

  cancel(message: Envelope, sender: Peer): void {
    this.#calls.find((call) => call.isMeantBy?.(message, sender) === true)?.left();
  }

  stats(): ConnectionStats {
    return { openCalls: this.#calls.size, lateMessages: 0, refusedMessages: this.#refused };
  }

  /** Reads the body of a request; what is read counts as arriving until the reader calls what `of` was given. */
  read(exchange: Exchange, of: (taken: () => void) => BodyReader): void {
    this.#arriving++;
    this.#bodies.read(exchange.request, of(this.#taken));
  }

  fullness(): ParleyError | undefined {
    if (this.closing) {
      return new TransportError("unavailable", "the agent is closing and takes no new calls", { outcome: "not-sent" });
    }
    const { maxCalls } = this.hop.limits;
    if (this.#calls.size + this.#arriving < maxCalls) return undefined;
    return new TransportError("resource_exhausted", `the agent answers at most ${maxCalls} calls at a time`, {
      outcome: "not-sent",
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  /** Refuses new calls, lets those under way end within the grace, then fails them. Resolves when none is left. */
  close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  async #drain(graceMs: number): Promise<void> {
    this.closing = true;
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    const cancelTimer = this.runtime.setTimer(() => this.#abandon(), graceMs);
    const drained = this.wire.drain?.({ graceMs });
    this.#checkIdle();
    await idle;
    await drained;
    cancelTimer();
    this.#bodies.stop();
    this.wire.close?.();
  }

  #abandon(): void {
    const reason = new TransportError("unavailable", "the agent closed before the call was done", {
      outcome: "unknown",
    });
    for (const call of this.#calls) call.abandon(reason);
    this.#idle?.();
  }

  #checkIdle(): void {
    if (this.closing && this.#calls.size === 0 && this.#arriving === 0) this.#idle?.();
  }

  #call(exchange: Exchange, target: Target): void {
    const mode = modeOf(exchange.request.headers);
    if (typeof mode !== "string") return refuseExchange(this, exchange, mode);
    if (this.wire.post?.(this, exchange, target)) return;
    // It belongs to a call under way, which is let finish.
    if (mode === "batch") return this.read(exchange, (taken) => new UplinkIntake(this, exchange, target.named, taken));
    const full = this.fullness();
    if (full) return refuseExchange(this, exchange, refusalOf(full));
    if (mode !== "upload") return this.read(exchange, (taken) => new Intake(this, exchange, mode, target, taken));
    if (!this.wire.upload) return refuseExchange(this, exchange, NO_UPLOAD);
    this.#arriving++;
    this.wire.upload(this, exchange, target.named, this.#taken);
  }

  #batch(exchange: Exchange): void {
    const full = this.fullness();
    if (full) return refuseExchange(this, exchange, refusalOf(full));
    const mode = modeOf(exchange.request.headers);
    if (typeof mode !== "string") return refuseExchange(this, exchange, mode);
    if (!this.wire.batch) return refuseExchange(this, exchange, NO_BATCHES);
    if (mode !== "batch" && mode !== "upload") return refuseExchange(this, exchange, NO_BATCH);
    this.wire.batch(this, exchange, mode);
  }

  #describe(exchange: Exchange): void {
    this.description.read(this.contextOf(exchange.request, true)).then(
      (data) => {
        if (exchange.response.destroyed) return;
        respond(this, exchange, {
          status: 200,
          headers: ["Content-Type", mediaTypes.json, ...UNCACHED],
          body: encodeData(data),
        });
      },
      (thrown: unknown) => refuseExchange(this, exchange, refusalOf(toParleyError(thrown))),
    );
  }
}

const NO_BATCH: Refusal = misplaced(
  `the address itself takes batches (${mediaTypes.batch}); post a single message to the path of its type`,
);
const NO_BATCHES: Refusal = misplaced("no batches are taken here; post a single message to the path of its type");
const NO_UPLOAD: Refusal = unsupportedType(
  `no uploads are taken here: post the opener as ${mediaTypes.structured}, and what follows it as ${mediaTypes.batch}`,
);

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type CloseOptions,
  type ConnectionStats,
  encodeData,
  type Handler,
  type Log,
  ParleyError,
  type Runtime,
  shortId,
  TransportError,
  toParleyError,
} from "@parley/core/transport";
import { HEARTBEAT_MS, type HttpHandlerOptions, httpLimits, REQUEST_TIMEOUT_MS } from "../options.ts";
import { mediaTypes } from "../wire/media-type.ts";
import { Roster } from "../wire/roster.ts";
import { Batch, MAX_BATCH_EVENTS } from "./batch.ts";
import { Bodies } from "./body.ts";
import { Description } from "./description.ts";
import type { Abandonable, Desk, HttpHop } from "./desk.ts";
import { type Exchange, refuseExchange } from "./exchange.ts";
import { type GuardRules, guard } from "./guard.ts";
import { Intake, type Target } from "./intake.ts";
import { modeOf } from "./mode.ts";
import { grantOrigin, preflightHeaders } from "./origin.ts";
import { withOwnOperations } from "./own-operations.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { respond } from "./response.ts";
import { routeOf } from "./route.ts";
import { Upload } from "./upload.ts";

/** Whoever is turned away for lack of room may come again after so long. */
const RETRY_AFTER_MS = 1_000;

const UNCACHED: readonly string[] = ["Cache-Control", "no-store"];

/** Where calls arrive by HTTP: everything beneath one path, whatever server it is on. */
export class Endpoint implements Desk {
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  readonly hop: HttpHop;
  readonly source: string;
  readonly handler: Handler;
  readonly description: Description;
  readonly requestTimeoutMs: number;
  readonly #rules: GuardRules;
  readonly #bodies: Bodies;
  readonly #calls = new Roster<Abandonable>();
  /** Those that came in a batch, and can be cancelled by name. */
  readonly #named = new Map<string, Abandonable>();
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

  constructor(handler: Handler, options: HttpHandlerOptions, runtime: Runtime, log: Log | undefined) {
    const {
      limits = httpLimits,
      heartbeatMs = HEARTBEAT_MS,
      requestTimeoutMs = REQUEST_TIMEOUT_MS,
      allowedHosts,
      allowedOrigins = [],
    } = options;
    this.runtime = runtime;
    this.log = log;
    this.hop = { limits, batchItems: 1, heartbeatMs, batchCalls: MAX_BATCH_EVENTS };
    this.source = `/${shortId(runtime)}`;
    this.handler = withOwnOperations(handler, this);
    this.description = new Description(handler, this.hop, this.source, runtime);
    this.requestTimeoutMs = requestTimeoutMs;
    this.#bodies = new Bodies(runtime, limits.maxMessageBytes, requestTimeoutMs);
    this.#rules = { allowedHosts: allowedHosts?.map((name) => name.toLowerCase()), allowedOrigins };
  }

  /** Answers a request. `url` is its target beneath the address: path and query. */
  serve(request: IncomingMessage, response: ServerResponse, url: string): void {
    const exchange: Exchange = { request, response };
    const refusal = guard(request, this.#rules);
    if (refusal) return refuseExchange(this, exchange, refusal);
    if (this.#rules.allowedOrigins.length > 0) grantOrigin(request, response, this.#rules.allowedOrigins);
    const route = routeOf(request.method, url);
    switch (route.to) {
      case "call":
        return this.#post(exchange, route.target);
      case "batch":
        return this.#post(exchange, undefined);
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

  refused(): void {
    this.#refused++;
  }

  began(call: Abandonable): void {
    this.#calls.add(call);
    if (call.name !== undefined) this.#named.set(call.name, call);
  }

  ended(call: Abandonable): void {
    this.#calls.delete(call);
    if (call.name !== undefined && this.#named.get(call.name) === call) this.#named.delete(call.name);
    this.#checkIdle();
  }

  cancel(name: string): void {
    this.#named.get(name)?.left();
  }

  stats(): ConnectionStats {
    return { openCalls: this.#calls.size, lateMessages: 0, refusedMessages: this.#refused };
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
    this.#checkIdle();
    await idle;
    cancelTimer();
    this.#bodies.stop();
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

  /** A call, or without a target a batch of them. */
  #post(exchange: Exchange, target: Target | undefined): void {
    const full = this.fullness();
    if (full) return refuseExchange(this, exchange, refusalOf(full));
    const { request } = exchange;
    const mode = modeOf(request.headers);
    if (typeof mode !== "string") return refuseExchange(this, exchange, mode);
    if (target === undefined) {
      if (mode !== "batch" && mode !== "upload") return refuseExchange(this, exchange, misplaced(NO_BATCH));
      this.#arriving++;
      return this.#bodies.read(request, new Batch(this, exchange, mode === "upload", this.#taken));
    }
    if (mode === "batch") return refuseExchange(this, exchange, misplaced(BATCH_ELSEWHERE));
    this.#arriving++;
    if (mode === "upload") new Upload(this, exchange, target.named, this.#taken);
    else this.#bodies.read(request, new Intake(this, exchange, mode, target, this.#taken));
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

  #describe(exchange: Exchange): void {
    this.description.read().then(
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

const NO_BATCH = `the address itself takes batches (${mediaTypes.batch}); post a single message to the path of its type`;
const BATCH_ELSEWHERE = "a batch is posted to the address itself, not to an operation";

function misplaced(message: string): Refusal {
  return { status: 400, error: new ParleyError("invalid_argument", message, { outcome: "not-sent" }) };
}

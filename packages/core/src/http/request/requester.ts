import { withCertificate } from "../../credentials/certificate.ts";
import { type RetryOptions, retry } from "../../resilience/retry.ts";
import {
  type CloseOptions,
  cancelled,
  createCall,
  createEnvelope,
  type Interceptor,
  type Invoke,
  intercept,
  type OperationOptions,
  type Outcome,
  type OwnedCall,
  ParleyError,
  type Runtime,
  systemRuntime,
  TransportError,
  toParleyError,
  withOutcome,
} from "../../transport/index.ts";
import type { ClientHealth, ClientState, ClientStateChange } from "../../transport/protocol-client/client-state.ts";
import type { OpenSocket } from "../client/socket-opener.ts";
import { socketOptions } from "../client/socket-options.ts";
import { codeOfStatus } from "../wire/status.ts";
import { HttpResponse } from "./http-response.ts";
import type { HttpClientTls, HttpRequestOptions, RequesterOptions } from "./options.ts";
import { requestBody } from "./request-body.ts";
import { type HttpReply, SENDING, Sending } from "./sending.ts";
import { type HttpSettings, requestSettings, settingsOf } from "./settings.ts";
import { type PoolStats, SocketPool } from "./socket-pool.ts";
import { targetOf } from "./target.ts";

/** Statuses that policies see as failures. */
const FAILURES: readonly number[] = [429, 500, 502, 503, 504];

const TOO_MANY = 429;

/** Methods whose effect may be had twice (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** What a {@link Requester} is made from beside the options of its user. */
export interface RequesterInit {
  readonly openSocket: OpenSocket;
  /** What policies know its requests by. @default `http.` and the method */
  readonly type?: string;
}

/** Makes requests to any HTTP server: what the clients of several packages share. */
export class Requester {
  readonly #options: RequesterOptions;
  readonly #settings: HttpSettings;
  readonly #runtime: Runtime;
  readonly #type: string | undefined;
  readonly #pool: SocketPool;
  /** Makes a request whose effect may be had twice. */
  readonly #repeatable: Invoke;
  /** Makes one whose effect may not: again only if it was not sent, or refused. */
  readonly #single: Invoke;
  /** Makes one whose body can be sent once: again only if it was not sent. */
  readonly #once: Invoke;
  /** Makes one that is not to be made again. */
  readonly #final: Invoke;
  /** Requests whose answers have not been read to their end. */
  readonly #calls = new Set<OwnedCall>();
  readonly #listeners = new Set<(change: ClientStateChange) => void>();
  #state: ClientState = "idle";
  #lastError: ParleyError | undefined;
  #closing: Promise<void> | undefined;
  #quiet: (() => void) | undefined;

  /** @throws ParleyError `invalid_argument`, `not-sent`, for options that make no sense */
  constructor(options: RequesterOptions, { openSocket, type }: RequesterInit) {
    this.#options = options;
    this.#type = type;
    this.#settings = settingsOf(options);
    this.#runtime = options.runtime ?? systemRuntime;
    const { base, connectTimeoutMs, idleTimeoutMs, maxPerOrigin, maxTotal, maxWaiting } = this.#settings;
    this.#pool = new SocketPool(
      (origin) => {
        const tls =
          origin === base?.origin ? withCertificate(options.tls, options.credentials) : trustOnly(options.tls);
        return openSocket(origin, socketOptions(tls, connectTimeoutMs, idleTimeoutMs));
      },
      { maxPerOrigin, maxTotal, maxWaiting, waitMs: connectTimeoutMs },
      this.#runtime,
    );
    const { use = [] } = options;
    const statuses = options.retry?.statuses ?? FAILURES;
    const fails = new Set(statuses);
    const invoke: Invoke = async (call) => {
      const sending = call.context.get(SENDING);
      if (!sending) throw new ParleyError("internal", "an interceptor of the client has made a call of its own");
      return sending.attempt(call, fails);
    };
    const codes = [...new Set(["unavailable", "deadline_exceeded", ...statuses.map(codeOfStatus)] as const)];
    const chain = (kind: Pick<RetryOptions, "codes" | "idempotent">): Invoke =>
      intercept(invoke, [...this.#retries(kind), ...use]);
    this.#repeatable = chain({ codes, idempotent: () => true });
    // 429 says that the request was not handled (RFC 6585, 4); 5xx may come from a gateway that has passed it on.
    const refused = statuses.includes(TOO_MANY) ? ([codeOfStatus(TOO_MANY)] as const) : [];
    this.#single = chain({ codes: ["unavailable", ...refused], idempotent: () => false });
    this.#once = chain({ codes: ["unavailable"], idempotent: () => false });
    this.#final = intercept(invoke, use);
  }

  get state(): ClientState {
    return this.#state;
  }

  get stats(): PoolStats {
    return this.#pool.stats;
  }

  /** Tells of each change of state from now on; gives back what takes the listener off again. */
  onState(listener: (change: ClientStateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Makes a request, by a method in any case; resolves when the head of its answer is there. @throws ParleyError */
  async request(name: string, target: string | URL, options: HttpRequestOptions = {}): Promise<HttpResponse> {
    const method = methodOf(name);
    const { signal, idempotent = IDEMPOTENT.has(method) } = options;
    const { base, request } = this.#settings;
    const runtime = this.#runtime;
    if (this.#closing) throw closedError("not-sent");
    if (signal?.aborted) throw givenUp(signal, "not-sent");
    const url = targetOf(target, base, options.params);
    const body = requestBody(options);
    const settings = requestSettings(options, request);
    const message = createEnvelope(
      { kind: "request", type: this.#type ?? `http.${method.toLowerCase()}`, source: "client" },
      runtime,
    );
    const deadline = settings.timeoutMs === undefined ? undefined : runtime.now() + settings.timeoutMs;
    const call = createCall({ kind: "request", message, deadline, idempotent }, runtime);
    const abort = (): void => call.abort(givenUp(signal, "unknown"));
    const sending = new Sending({
      method,
      url,
      body,
      headers: options.headers,
      settings,
      client: this.#settings,
      options: this.#options,
      pool: this.#pool,
      runtime,
      call,
      over: () => {
        signal?.removeEventListener("abort", abort);
        call.settle();
        this.#calls.delete(call);
        if (this.#calls.size === 0) this.#quiet?.();
      },
    });
    call.context.set(SENDING, sending);
    signal?.addEventListener("abort", abort);
    this.#calls.add(call);
    if (this.#state === "idle") this.#turn("open");
    let response: HttpResponse | undefined;
    try {
      response = await this.#answer(this.#invokeOf(options, idempotent, body?.once === true), call);
    } catch (thrown) {
      this.#lastError = toParleyError(thrown);
      throw this.#lastError;
    } finally {
      sending.settle(response);
    }
    return settings.expectOk ? response.expectOk() : response;
  }

  /** How the server at the `baseUrl` fares, by any answer to a HEAD; without one, what is known. Never rejects. */
  async health({ signal, timeoutMs = 5_000 }: OperationOptions = {}): Promise<ClientHealth> {
    const { base } = this.#settings;
    if (!base || this.#closing) return { state: this.#state, lastError: this.#lastError };
    const begun = this.#runtime.now();
    try {
      const response = await this.request("HEAD", base, {
        signal,
        timeoutMs,
        redirect: "manual",
        expectOk: false,
        retry: false,
      });
      response.discard();
      return { state: this.#state, roundTripMs: this.#runtime.now() - begun, lastError: this.#lastError };
    } catch (thrown) {
      return { state: this.#state, lastError: toParleyError(thrown) };
    }
  }

  /** Takes no new requests, lets those under way end within the grace, then closes. Idempotent; resolves when nothing is left open. */
  close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#shutDown(graceMs);
    return this.#closing;
  }

  #invokeOf({ retry: again }: HttpRequestOptions, idempotent: boolean, once: boolean): Invoke {
    if (again === false) return this.#final;
    if (once) return this.#once;
    return idempotent ? this.#repeatable : this.#single;
  }

  /** The answer, also where policies have seen it as a failure. */
  async #answer(invoke: Invoke, call: OwnedCall): Promise<HttpResponse> {
    try {
      const reply = await invoke(call);
      return (reply as HttpReply).response; // the innermost makes no other, and interceptors pass it on
    } catch (thrown) {
      const response = answerIn(thrown);
      if (response) return response;
      throw thrown;
    }
  }

  #retries(kind: Pick<RetryOptions, "codes" | "idempotent">): Interceptor[] {
    const { retry: options, log } = this.#options;
    if (!options) return [];
    const { statuses: _, ...policy } = options;
    const again = retry({
      ...policy,
      ...kind,
      runtime: this.#runtime,
      onRetry: ({ error, attempts, delayMs }) =>
        log?.({
          level: "warn",
          event: "request-again",
          message: `attempt ${attempts} failed; another in ${Math.round(delayMs)} ms`,
          error,
        }),
    });
    return [again];
  }

  async #shutDown(graceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#quiet = resolve;
    if (this.#calls.size > 0) {
      const cancelTimer = this.#runtime.setTimer(resolve, graceMs);
      await promise;
      cancelTimer();
    }
    for (const call of this.#calls) call.abort(closedError("unknown"));
    await this.#pool.destroy();
    this.#turn("closed");
  }

  #turn(state: ClientState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener({ state });
  }
}

/** @throws ParleyError `invalid_argument` for what is no method, and for CONNECT, which makes a tunnel of the connection */
function methodOf(name: string): string {
  const method = name.toUpperCase();
  // RFC 9110, 5.6.2 and 9.1.
  if (/^[!#$%&'*+.^_`|~\w-]+$/.test(method) && method !== "CONNECT") return method;
  throw new ParleyError("invalid_argument", `${JSON.stringify(name)} is no method of a request`, {
    outcome: "not-sent",
  });
}

/** The reason of a signal, which may be an error of something else that it ended. */
function givenUp(signal: AbortSignal | undefined, outcome: Outcome): ParleyError {
  return withOutcome(cancelled(signal?.reason, outcome), outcome);
}

function closedError(outcome: Outcome): TransportError {
  return new TransportError("unavailable", "the client was closed", { outcome });
}

/** The answer that an error was made of, whatever policies have made of the error. */
function answerIn(thrown: unknown): HttpResponse | undefined {
  for (let error = thrown; error instanceof ParleyError; error = error.cause) {
    if (error.cause instanceof HttpResponse) return error.cause;
  }
  return undefined;
}

/** Options of TLS without what proves who calls, for any other origin. */
function trustOnly(tls: HttpClientTls | undefined): HttpClientTls | undefined {
  if (!tls) return undefined;
  const { ca, minVersion, rejectUnauthorized } = tls;
  return { ca, minVersion, rejectUnauthorized };
}

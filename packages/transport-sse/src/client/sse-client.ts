import type { HttpResponse } from "@parley/core/http";
import {
  type ClientHealth,
  type ClientState,
  type ClientStateChange,
  cancelled,
  codes,
  fullJitter,
  knownOptions,
  type OperationOptions,
  type OptionNames,
  ParleyError,
  pause,
  type ReconnectPolicy,
  type Runtime,
  reconnectPolicy,
  systemRuntime,
  TransportError,
  toParleyError,
} from "@parley/core/transport";
import { EventRequest } from "./event-request.ts";
import { type Cursor, readEvents, type SseEvent } from "./read-events.ts";
import type { SseClientOptions } from "./sse-client-options.ts";

/**
 * Reads a stream of events from any server, as `EventSource` does, but with headers, bodies, credentials and limits. One client is one stream, read
 * once; the iteration connects, comes back after a cut with `Last-Event-ID`, and closes the client when it ends or is left.
 *
 * ```ts
 * const answer = new SseClient({ url: "https://api.example/v1/chat/completions", json: { stream: true }, doneData: "[DONE]" });
 * for await (const { data } of answer) console.log(JSON.parse(data));
 * ```
 *
 * It ends by `doneData`, by an answer 204, by `close()`, and where it does not come back by the end of the answer. It fails with a `ParleyError`:
 * `unavailable` when it was cut and does not come back, `resource_exhausted` for an event over `maxEventChars`, and what a status means.
 */
export class SseClient implements AsyncIterable<SseEvent>, AsyncDisposable {
  readonly #options: SseClientOptions;
  readonly #request: EventRequest;
  readonly #runtime: Runtime;
  readonly #policy: ReconnectPolicy | undefined;
  readonly #cursor: Cursor;
  readonly #listeners = new Set<(change: ClientStateChange) => void>();
  /** Aborted when nobody wants more. */
  readonly #over = new AbortController();
  #state: ClientState = "idle";
  #lastError: ParleyError | undefined;
  #first: Promise<HttpResponse | undefined> | undefined;
  /** Gives up the request under way, and the reading of its answer. */
  #attempt: AbortController | undefined;
  #reading = false;
  /** Attempts to come back since the last event. */
  #attempts = 0;

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: SseClientOptions) {
    knownOptions("SseClient", options, optionNames);
    const { reconnect, lastEventId = "", runtime = systemRuntime } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.#request = new EventRequest(options, runtime);
    this.#cursor = { id: lastEventId, retryMs: undefined };
    const comesBack = reconnect ?? (this.#request.method === "GET" ? {} : false);
    this.#policy = comesBack ? reconnectPolicy({ baseMs: 1_000, maxMs: 30_000, ...comesBack }) : undefined;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The last id that the stream has given; a client that is made with it goes on from there. */
  get lastEventId(): string {
    return this.#cursor.id;
  }

  /**
   * Resolves when the server has accepted; the iteration does it by itself. May be called again, also after a failure.
   * @throws ParleyError `unavailable`, `deadline_exceeded`, `cancelled`, what a status means, `internal` when the answer is no event stream.
   */
  async connect({ signal = this.#options.signal, timeoutMs }: OperationOptions = {}): Promise<void> {
    if (this.#over.signal.aborted) throw closedError();
    await this.#connected({ signal, timeoutMs });
  }

  /** The events, to one reader. */
  [Symbol.asyncIterator](): AsyncGenerator<SseEvent, void, undefined> {
    if (this.#over.signal.aborted && !this.#reading) throw closedError();
    if (this.#reading) {
      throw new ParleyError("failed_precondition", "a stream of events is read once; make another SseClient", {
        outcome: "not-sent",
      });
    }
    this.#reading = true;
    return this.#events();
  }

  /** Tells of each change of state from now on; gives back what takes the listener off again. */
  onState(listener: (change: ClientStateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What is known of the stream; asks nobody. Never rejects. */
  async health(): Promise<ClientHealth> {
    return { state: this.#state, lastError: this.#lastError };
  }

  /** Ends the stream: its reader is told that there is no more. Idempotent; resolves when nothing is left open. */
  async close(): Promise<void> {
    await this.#end(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#events(): AsyncGenerator<SseEvent, void, undefined> {
    const { signal } = this.#options;
    const abort = (): void => this.#stop(cancelled(signal?.reason, "unknown"));
    let failure: ParleyError | undefined;
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      for (let answer = await this.#connected(); answer; ) {
        const cut = yield* this.#read(answer);
        answer = cut && (await this.#again(cut));
      }
    } catch (thrown) {
      // Who closes it is not told that it failed.
      if (this.#over.signal.aborted && !signal?.aborted) return;
      failure = toParleyError(thrown);
      throw failure;
    } finally {
      signal?.removeEventListener("abort", abort);
      await this.#end(failure);
    }
  }

  /** The answer to read first; undefined where the server has nothing. */
  #connected(options: OperationOptions = {}): Promise<HttpResponse | undefined> {
    this.#first ??= this.#connect(options);
    return this.#first;
  }

  async #connect(options: OperationOptions): Promise<HttpResponse | undefined> {
    this.#turn({ state: "connecting" });
    try {
      return await this.#dial(options);
    } catch (thrown) {
      this.#first = undefined;
      if (!this.#over.signal.aborted) this.#turn({ state: "idle", error: toParleyError(thrown) });
      throw thrown;
    }
  }

  /** Signal and time are for the wait for the answer; neither holds for what is read then. @param retry `false` after a cut */
  async #dial(
    { signal, timeoutMs = this.#options.timeoutMs }: OperationOptions,
    retry?: false,
  ): Promise<HttpResponse | undefined> {
    const attempt = new AbortController();
    const over = this.#over.signal;
    const giveUp = (): void => attempt.abort(cancelled(signal?.reason, "unknown"));
    const late = new TransportError("deadline_exceeded", `no event stream came within ${timeoutMs} ms`, {
      outcome: "unknown",
    });
    const cancelTimer =
      timeoutMs === undefined ? undefined : this.#runtime.setTimer(() => attempt.abort(late), timeoutMs);
    this.#attempt = attempt;
    signal?.addEventListener("abort", giveUp);
    if (over.aborted) attempt.abort(over.reason);
    else if (signal?.aborted) giveUp();
    try {
      const answer = await this.#request.send(this.#cursor.id, { signal: attempt.signal, retry });
      this.#turn({ state: "open" });
      return answer;
    } finally {
      cancelTimer?.();
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /** Reads one answer. Gives why it was cut, if another may be asked for; nothing when the stream is over. */
  async *#read(answer: HttpResponse): AsyncGenerator<SseEvent, ParleyError | undefined, undefined> {
    const { doneData, maxEventChars = 1_048_576 } = this.#options;
    const { host } = this.#request.url;
    let cut: ParleyError;
    try {
      for await (const event of readEvents(answer, this.#cursor, maxEventChars)) {
        if (event.data === doneData) return undefined;
        this.#attempts = 0;
        yield event;
      }
      if (!this.#policy && doneData === undefined) return undefined;
      cut = new TransportError("unavailable", `${host} ended the stream`, { outcome: "unknown" });
    } catch (thrown) {
      cut = toParleyError(thrown);
    }
    const mayComeBack = this.#policy && (cut.code === "unavailable" || cut.code === "deadline_exceeded");
    if (!mayComeBack || this.#over.signal.aborted) throw cut;
    return cut;
  }

  /** Comes back after a cut; undefined where the server says that there is no more. */
  async #again(cut: ParleyError): Promise<HttpResponse | undefined> {
    const policy = this.#policy;
    let error = cut;
    while (policy && this.#attempts < policy.maxAttempts && mayPass(error)) {
      const attempt = ++this.#attempts;
      const asked = Math.max(this.#cursor.retryMs ?? 0, error.retryAfterMs ?? 0);
      const delayMs = Math.min(asked, policy.maxMs) + fullJitter(attempt, policy, this.#runtime);
      this.#turn({ state: "reconnecting", attempt, delayMs, error });
      this.#options.log?.({
        level: "warn",
        event: "reconnecting",
        message: `the stream of ${this.#request.url.host} was cut; attempt ${attempt} in ${Math.round(delayMs)} ms`,
        error,
      });
      await pause(delayMs, this.#over.signal, this.#runtime);
      if (this.#over.signal.aborted) throw this.#over.signal.reason;
      try {
        return await this.#dial({}, false);
      } catch (thrown) {
        error = toParleyError(thrown);
      }
    }
    throw error;
  }

  #stop(reason: ParleyError): void {
    this.#over.abort(reason);
    this.#attempt?.abort(reason);
  }

  async #end(error: ParleyError | undefined): Promise<void> {
    this.#stop(closedError());
    await this.#request.close();
    if (this.#state !== "closed") this.#turn({ state: "closed", error });
  }

  #turn(change: ClientStateChange): void {
    this.#state = change.state;
    this.#lastError = change.error ?? this.#lastError;
    for (const listener of [...this.#listeners]) listener(change);
  }
}

const optionNames: OptionNames<SseClientOptions> = {
  url: true,
  params: true,
  method: true,
  json: true,
  form: true,
  body: true,
  headers: true,
  credentials: true,
  tls: true,
  lastEventId: true,
  doneData: true,
  idempotent: true,
  reconnect: true,
  retry: true,
  use: true,
  timeoutMs: true,
  idleTimeoutMs: true,
  maxEventChars: true,
  connectTimeoutMs: true,
  headersTimeoutMs: true,
  maxRedirects: true,
  redirectOrigins: true,
  hooks: true,
  log: true,
  runtime: true,
  signal: true,
};

/** Whether another attempt may come to something else. */
function mayPass({ code, details }: ParleyError): boolean {
  const { status = 0 } = (details ?? {}) as { readonly status?: number };
  return codes[code].retryable || code === "deadline_exceeded" || status >= 500;
}

function closedError(): TransportError {
  return new TransportError("unavailable", "the client was closed", { outcome: "not-sent" });
}

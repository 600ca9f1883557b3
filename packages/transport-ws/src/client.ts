import type { Socket } from "node:net";
import {
  type ClientHealth,
  type ClientState,
  type ClientStateChange,
  choiceOption,
  ParleyError,
  type Patience,
  type Runtime,
  systemRuntime,
  TransportError,
  toParleyError,
  within,
} from "@parley/core/transport";
import type { RawData, WebSocket } from "ws";
import type { WebSocketEvents, WebSocketStats } from "./client-events.ts";
import { ClientLife } from "./client-life.ts";
import { ClientLink, type LinkEnd } from "./client-link.ts";
import {
  type ClientPolicy,
  checkClose,
  clientPolicy,
  dialOptions,
  type WebSocketClientOptions,
  type WebSocketCloseOptions,
  webSocketUrl,
} from "./client-options.ts";
import { Inbox } from "./inbox.ts";
import { Listeners } from "./listeners.ts";
import { decodeMessage, encodeMessage, type WebSocketFormat, type WebSocketMessages } from "./message-format.ts";
import { type OpenSocketOptions, openSocket } from "./open-socket.ts";
import { Outbox } from "./outbox.ts";

const FINAL_CODES: readonly number[] = [1000, 1008, 4401, 4403];

/**
 * A client of any WebSocket server. It dials when it is first used, and again after a cut.
 *
 * ```ts
 * await using client = new WebSocketClient({ url: "ws://127.0.0.1:7070" });
 * await client.send({ hello: "world" });
 * for await (const message of client) console.log(message);
 * ```
 */
export class WebSocketClient<Format extends WebSocketFormat = "json">
  implements AsyncDisposable, AsyncIterable<WebSocketMessages[Format], undefined>
{
  readonly #url: URL;
  readonly #options: WebSocketClientOptions<Format>;
  readonly #policy: ClientPolicy;
  readonly #dialOptions: Omit<OpenSocketOptions, "signal">;
  readonly #runtime: Runtime;
  readonly #format: WebSocketFormat;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox<WebSocketMessages[Format]>;
  readonly #life: ClientLife;
  readonly #listeners = new Listeners<WebSocketEvents<Format>>();
  readonly #stateListeners = new Listeners<{ readonly state: ClientStateChange }>();
  #link: ClientLink | undefined;
  #openedBefore = false;
  #refused = 0;
  #closing: Promise<void> | undefined;

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: WebSocketClientOptions<Format>) {
    const policy = clientPolicy(options);
    const { format = "json", whenSendFull = "wait", whenReceiveFull = "pause", runtime = systemRuntime } = options;
    this.#dialOptions = dialOptions(options, policy, runtime);
    this.#url = webSocketUrl(options.url);
    this.#options = options;
    this.#policy = policy;
    this.#runtime = runtime;
    this.#format = format;
    this.#outbox = new Outbox({
      maxBytes: policy.maxSendBytes,
      maxWaiting: policy.maxWaitingSends,
      whenFull: whenSendFull,
      runtime,
    });
    this.#inbox = new Inbox({
      maxBytes: policy.maxReceiveBytes,
      whenFull: whenReceiveFull,
      runtime,
      pause: () => this.#link?.pause(),
      resume: () => this.#link?.resume(),
    });
    this.#life = new ClientLife({
      peer: this.#url.host,
      policy,
      runtime,
      log: options.log,
      dial: (signal) => this.#dial(signal),
      changed: (change) => this.#stateListeners.tell("state", change),
      failed: (error) => this.#listeners.tell("error", error),
      undialled: (error) => {
        this.#outbox.lose(error);
        this.#inbox.failReaders(error);
      },
      ended: (error, over) => {
        this.#outbox.lose(over);
        this.#inbox.end(error);
      },
    });
  }

  /** Where it is in its life; `closed` is final. */
  get state(): ClientState {
    return this.#life.state;
  }

  /** The subprotocol that the peer took; empty without one, undefined without a connection. */
  get protocol(): string | undefined {
    return this.#link?.protocol;
  }

  /**
   * Resolves when there is a connection. Need not be called: the first use dials too. The signal and the time end the wait, not the dialling, which
   * `connectTimeoutMs` bounds.
   * @throws ParleyError `unavailable`, `unauthenticated`, `permission_denied`, `deadline_exceeded`, …; after a failed first dial the next use dials
   * again.
   */
  async connect(patience: Patience = {}): Promise<void> {
    this.#life.begin();
    await this.#life.ready(patience);
  }

  /**
   * Sends a message. Resolves when the system has taken it: WebSocket confirms no more than that. Bytes are the client's until then. Without a
   * connection it waits for one. Waits `sendTimeoutMs` at most, unless told otherwise.
   * @throws ParleyError `not-sent` when the peer cannot have it (`unavailable`, `resource_exhausted`, `deadline_exceeded`, `cancelled`,
   * `invalid_argument`), `unknown` when the connection was cut, or the wait was over, while it was being written.
   */
  async send(message: WebSocketMessages[Format], patience: Patience = {}): Promise<void> {
    const data = encodeMessage(this.#format, message);
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    const { maxMessageBytes, sendTimeoutMs } = this.#policy;
    if (bytes > maxMessageBytes) {
      const text = `the message takes ${bytes} bytes, and maxMessageBytes is ${maxMessageBytes}`;
      throw new TransportError("resource_exhausted", text, { outcome: "not-sent" });
    }
    this.#life.begin();
    await this.#outbox.send(data, bytes, { timeoutMs: sendTimeoutMs, ...patience });
  }

  /**
   * The next message. Not for use beside a listener for messages, which gets them all.
   * @throws ParleyError what ended the connection for good, or `unavailable` after an orderly end; `deadline_exceeded`, `cancelled`
   */
  async receive(patience: Patience = {}): Promise<WebSocketMessages[Format]> {
    const result = await this.#next(patience);
    if (result.done) throw this.#life.over();
    return result.value;
  }

  /**
   * Messages as they come, over cuts and reconnections, until the end. Leaving it early leaves the connection open, and what comes then waits for the
   * next reader. An end for good throws its error after what had arrived; an orderly one does not.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<WebSocketMessages[Format], undefined, undefined> {
    for (;;) {
      const result = await this.#next({});
      if (result.done) return;
      yield result.value;
    }
  }

  /**
   * Tells the listener of each such event from now on; gives back what takes it off again.
   * @throws ParleyError `invalid_argument` for an event that there is not
   */
  on<Name extends keyof WebSocketEvents>(
    name: Name,
    listener: (event: WebSocketEvents<Format>[Name]) => void,
  ): () => void {
    choiceOption("the event", name, ["open", "message", "close", "error"]);
    if (typeof listener !== "function") {
      throw new ParleyError("invalid_argument", `the listener for "${name}" is no function but ${typeof listener}`, {
        outcome: "not-sent",
      });
    }
    const off = this.#listeners.add(name, listener);
    // What came before there was a listener would wait for a reader for ever.
    if (name === "message") queueMicrotask(() => this.#handOver());
    return off;
  }

  /** Tells of each change of state from now on; gives back what takes the listener off again. */
  onState(listener: (change: ClientStateChange) => void): () => void {
    return this.#stateListeners.add("state", listener);
  }

  /** Looks how the connection fares, by a ping, waiting no longer than `timeoutMs` (5,000 unless told). Never rejects, and does not dial. */
  async health({ signal, timeoutMs = 5_000 }: Patience = {}): Promise<ClientHealth> {
    const { lastError } = this.#life;
    if (!this.#link) return { state: this.state, lastError };
    const pong = this.#link.ping();
    // Its reader is slow: nothing is wrong, and nothing can be measured.
    if (!pong) return { state: this.state };
    try {
      const roundTripMs = await within(pong, { signal, timeoutMs }, this.#runtime, "no pong came", "unknown");
      return { state: this.state, roundTripMs, lastError };
    } catch (thrown) {
      return { state: this.state, lastError: toParleyError(thrown) };
    }
  }

  stats(): WebSocketStats {
    return {
      droppedMessages: this.#inbox.dropped,
      refusedMessages: this.#refused,
      sendBytes: this.#outbox.bytes,
      receiveBytes: this.#inbox.bytes,
    };
  }

  /**
   * Takes no more messages, lets those under way leave and says goodbye, within the grace (5,000 ms unless told), and does not come back.
   * Iteration ends after what has arrived. Idempotent; resolves when nothing is left open.
   * @throws ParleyError `invalid_argument` for a code or a reason that cannot be said
   */
  async close(options: WebSocketCloseOptions = {}): Promise<void> {
    checkClose(options);
    this.#closing ??= this.#shutDown(options);
    await this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #next(patience: Patience): Promise<IteratorResult<WebSocketMessages[Format], undefined>> {
    // Once closed there may still be something to read.
    if (this.state === "idle" && !this.#life.closing) this.#life.begin();
    return this.#inbox.take(patience);
  }

  #handOver(): void {
    if (this.#listeners.has("message")) this.#inbox.drain((message) => this.#listeners.tell("message", message));
  }

  #dial(signal: AbortSignal): Promise<void> {
    const options = { ...this.#dialOptions, signal };
    return openSocket(this.#url, options, (webSocket, socket) => this.#adopt(webSocket, socket));
  }

  #adopt(webSocket: WebSocket, socket: Socket): void {
    const link = new ClientLink({
      ...this.#policy,
      webSocket,
      socket,
      runtime: this.#runtime,
      message: (data, isBinary) => this.#arrived(data, isBinary),
      ended: (end) => this.#ended(end),
    });
    this.#link = link;
    this.#inbox.reopened();
    const again = this.#openedBefore;
    this.#openedBefore = true;
    this.#outbox.attach(link, () => {
      this.#life.opened();
      this.#listeners.tell("open", { protocol: link.protocol, again });
    });
  }

  #arrived(data: RawData, isBinary: boolean): void {
    if (this.#life.closing) return;
    let message: WebSocketMessages[Format];
    try {
      // Of the format that the client was made with.
      message = decodeMessage(this.#format, data, isBinary) as WebSocketMessages[Format];
    } catch (thrown) {
      this.#refused++;
      const error = toParleyError(thrown);
      this.#options.log?.({ level: "warn", event: "message-refused", message: error.message, error });
      return this.#listeners.tell("error", error);
    }
    if (this.#listeners.has("message")) this.#listeners.tell("message", message);
    else this.#inbox.push(message, (data as Buffer).byteLength);
  }

  #ended({ code, reason, cause, error }: LinkEnd): void {
    this.#link = undefined;
    this.#outbox.lose(error);
    const { reconnect = {} } = this.#options;
    const final = reconnect === false || (reconnect.finalCodes ?? FINAL_CODES).includes(code);
    if (!this.#life.closing) final ? this.#life.end(cause) : this.#life.lost(error);
    this.#listeners.tell("close", { code, reason, reconnecting: this.state === "reconnecting" });
  }

  async #shutDown({ graceMs = 5_000, code = 1000, reason = "" }: WebSocketCloseOptions): Promise<void> {
    this.#life.giveUp();
    this.#inbox.end(undefined);
    if (this.#link) await this.#hangUp(this.#link, graceMs, code, reason);
    this.#life.end(undefined);
  }

  async #hangUp(link: ClientLink, graceMs: number, code: number, reason: string): Promise<void> {
    const deadline = this.#runtime.now() + graceMs;
    const inTime = (step: Promise<void>): Promise<void> =>
      within(
        step,
        { timeoutMs: Math.max(0, deadline - this.#runtime.now()) },
        this.#runtime,
        "the connection did not end",
      );
    // What is not read would keep the peer's goodbye back.
    link.resume();
    try {
      await inTime(this.#outbox.emptied());
      link.close(code, reason);
      await inTime(link.ended);
    } catch {
      link.terminate();
      await link.ended;
    }
  }
}

import type { Socket } from "node:net";
import {
  type ClientHealth,
  type ClientState,
  type ClientStateChange,
  choiceOption,
  type Dialling,
  type EffectOptions,
  LinkKeeper,
  Operation,
  type OperationOptions,
  ParleyError,
  Policies,
  type Runtime,
  reconnectPolicy,
  systemRuntime,
  TransportError,
  toParleyError,
} from "@parley/core/transport";
import type { RawData, WebSocket } from "ws";
import type { WebSocketEvents, WebSocketStats } from "./client-events.ts";
import { ClientLink, type LinkEnd } from "./client-link.ts";
import type { WebSocketClientOptions, WebSocketCloseOptions } from "./client-options.ts";
import { type ClientPolicy, checkClose, clientPolicy, dialOptions, webSocketUrl } from "./client-settings.ts";
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
  readonly #keeper: LinkKeeper<ClientLink>;
  readonly #policies: Policies;
  readonly #listeners = new Listeners<WebSocketEvents<Format>>();
  readonly #stateListeners = new Listeners<{ readonly state: ClientStateChange }>();
  #openedBefore = false;
  #refused = 0;
  /** How it says goodbye. */
  #farewell: WebSocketCloseOptions = {};

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: WebSocketClientOptions<Format>) {
    const policy = clientPolicy(options);
    const { format = "json", whenQueueFull = "wait", overflow = "pause", runtime = systemRuntime, log } = options;
    this.#dialOptions = dialOptions(options, policy, runtime);
    this.#url = webSocketUrl(options.url);
    this.#options = options;
    this.#policy = policy;
    this.#policies = new Policies(options, runtime);
    this.#runtime = runtime;
    this.#format = format;
    this.#outbox = new Outbox({
      maxBytes: policy.maxQueuedBytes,
      maxWaiting: policy.maxWaiting,
      whenFull: whenQueueFull,
      runtime,
    });
    this.#inbox = new Inbox({
      maxBytes: policy.maxUnreadBytes,
      whenFull: overflow,
      runtime,
      pause: () => this.#keeper.link?.pause(),
      resume: () => this.#keeper.link?.resume(),
    });
    this.#keeper = new LinkKeeper({
      peer: this.#url.host,
      dial: (signal, told) => this.#dial(signal, told),
      shut: (link, graceMs) => link.hangUp(this.#outbox.emptied(), { ...this.#farewell, graceMs }),
      ping: (link) => link.ping(),
      ended: (reason) => {
        this.#outbox.lose(this.#keeper.over());
        this.#inbox.end(reason);
      },
      policy: reconnectPolicy(options.reconnect || {}),
      runtime,
      log,
    });
    this.#keeper.onState((change) => this.#turned(change));
  }

  /** Where it is in its life; `closed` is final. */
  get state(): ClientState {
    return this.#keeper.state;
  }

  /** The subprotocol that the peer took; empty without one, undefined without a connection. */
  get protocol(): string | undefined {
    return this.#keeper.link?.protocol;
  }

  /**
   * Resolves when there is a connection. Need not be called: the first use dials too.
   * @throws ParleyError `unavailable`, `unauthenticated`, `permission_denied`, `deadline_exceeded`, …; after a failed first dial the next use dials
   * again.
   */
  connect(options: OperationOptions = {}): Promise<void> {
    return this.#policies.run({ type: "ws.connect", kind: "request", idempotent: true, ...options }, (attempt) => {
      const what = `connecting to ${this.#url.host}`;
      const operation = new Operation<void>({ what, runtime: this.#runtime, ...attempt });
      this.#keeper.run(
        operation,
        () => operation.resolve(),
        (error) => operation.reject(error),
      );
      return operation.promise;
    });
  }

  /**
   * Sends a message. Resolves when the system has taken it: WebSocket confirms no more than that. Bytes are the client's until then. Without a
   * connection it waits for one.
   * @throws ParleyError `not-sent` when the peer cannot have it (`unavailable`, `resource_exhausted`, `deadline_exceeded`, `cancelled`,
   * `invalid_argument`), `unknown` when the connection was cut, or its time was over, while it was being written.
   */
  async send(message: WebSocketMessages[Format], options: EffectOptions = {}): Promise<void> {
    const data = encodeMessage(this.#format, message);
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    const { maxMessageBytes, timeoutMs } = this.#policy;
    if (bytes > maxMessageBytes) {
      const text = `the message takes ${bytes} bytes, and maxMessageBytes is ${maxMessageBytes}`;
      throw new TransportError("resource_exhausted", text, { outcome: "not-sent" });
    }
    await this.#policies.run({ type: "ws.send", kind: "notify", timeoutMs, ...options }, async (attempt) => {
      this.#keeper.begin();
      await this.#outbox.send(data, bytes, attempt);
    });
  }

  /**
   * The next message. Not for use beside a listener for messages, which gets them all.
   * @throws ParleyError what ended the connection for good, or `unavailable` after an orderly end; `deadline_exceeded`, `cancelled`
   */
  async receive(options: OperationOptions = {}): Promise<WebSocketMessages[Format]> {
    const result = await this.#next(options);
    if (result.done) throw this.#keeper.over();
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
  health(options?: OperationOptions): Promise<ClientHealth> {
    return this.#keeper.health(options);
  }

  stats(): WebSocketStats {
    return {
      droppedMessages: this.#inbox.dropped,
      refusedMessages: this.#refused,
      queuedBytes: this.#outbox.bytes,
      unreadBytes: this.#inbox.bytes,
    };
  }

  /**
   * Takes no more messages, lets those under way leave and says goodbye, within the grace (5,000 ms unless told), and does not come back.
   * Iteration ends after what has arrived. Idempotent; resolves when nothing is left open.
   * @throws ParleyError `invalid_argument` for a code or a reason that cannot be said
   */
  async close(options: WebSocketCloseOptions = {}): Promise<void> {
    checkClose(options);
    if (!this.#keeper.closing) this.#farewell = options;
    const closing = this.#keeper.close(options.graceMs ?? 5_000);
    this.#inbox.end(undefined);
    await closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #next(options: OperationOptions): Promise<IteratorResult<WebSocketMessages[Format], undefined>> {
    // Once closed there may still be something to read.
    if (!this.#keeper.closing) this.#keeper.begin();
    return this.#inbox.take(options);
  }

  #handOver(): void {
    if (this.#listeners.has("message")) this.#inbox.drain((message) => this.#listeners.tell("message", message));
  }

  #dial(signal: AbortSignal, told: Dialling<ClientLink>): Promise<void> {
    const options = { ...this.#dialOptions, signal };
    return openSocket(this.#url, options, (webSocket, socket) => this.#adopt(webSocket, socket, told));
  }

  #adopt(webSocket: WebSocket, socket: Socket, { opened, lost }: Dialling<ClientLink>): void {
    const link = new ClientLink({
      ...this.#policy,
      webSocket,
      socket,
      runtime: this.#runtime,
      message: (data, isBinary) => this.#arrived(data, isBinary),
      ended: (end) => this.#ended(end, lost),
    });
    opened(link);
  }

  #turned(change: ClientStateChange): void {
    const { state, error } = change;
    if (error) this.#listeners.tell("error", error);
    if (state === "idle" && error) {
      this.#outbox.lose(error);
      this.#inbox.failReaders(error);
    }
    const { link } = this.#keeper;
    if (state !== "open" || !link) return this.#stateListeners.tell("state", change);
    this.#inbox.reopened();
    const again = this.#openedBefore;
    this.#openedBefore = true;
    this.#outbox.attach(link, () => {
      this.#stateListeners.tell("state", change);
      this.#listeners.tell("open", { protocol: link.protocol, again });
    });
  }

  #arrived(data: RawData, isBinary: boolean): void {
    if (this.#keeper.closing) return;
    let message: WebSocketMessages[Format];
    try {
      // Of the format that the client was made with.
      message = decodeMessage(this.#format, data as Buffer, isBinary) as WebSocketMessages[Format];
    } catch (thrown) {
      this.#refused++;
      const error = toParleyError(thrown);
      this.#options.log?.({ level: "warn", event: "message-refused", message: error.message, error });
      return this.#listeners.tell("error", error);
    }
    if (this.#listeners.has("message")) this.#listeners.tell("message", message);
    else this.#inbox.push(message, (data as Buffer).byteLength);
  }

  #ended({ code, reason, cause, error }: LinkEnd, lost: Dialling<ClientLink>["lost"]): void {
    this.#outbox.lose(error);
    const { reconnect = {} } = this.#options;
    const isFinal = reconnect === false || (reconnect.finalCodes ?? FINAL_CODES).includes(code);
    lost(error, isFinal && { reason: cause });
    this.#listeners.tell("close", { code, reason, reconnecting: this.state === "reconnecting" });
  }
}

import {
  type ClientHealth,
  type ClientState,
  type ClientStateChange,
  type CloseOptions,
  knownOptions,
  LinkKeeper,
  Operation,
  type OperationOptions,
  type OptionNames,
  type ParleyError,
  Policies,
  type Runtime,
  reconnectPolicy,
  TransportError,
  toParleyError,
  withOutcome,
} from "@parley/core/transport";
import { invalid } from "../invalid.ts";
import type { Link } from "../link.ts";
import { identityOf, type LinkInit } from "../link-init.ts";
import { loggedIn } from "../login.ts";
import { openEither } from "../open-link.ts";
import type { Published } from "../outbox.ts";
import { readyLink } from "../ready-link.ts";
import { FAILURE, NO_MATCHING_SUBSCRIBERS } from "../reason.ts";
import type { ClientSubscription } from "./client-subscription.ts";
import { ClientSubscriptions } from "./client-subscriptions.ts";
import { feedHandler } from "./feed-handler.ts";
import { checkFilters } from "./filters.ts";
import type { MqttMessage } from "./message.ts";
import type {
  MqttClientOptions,
  MqttConnected,
  MqttData,
  MqttFilters,
  MqttPublished,
  MqttPublishOptions,
  MqttSubscribeOptions,
} from "./options.ts";
import { type ClientPublication, clientPublication, publishOptions, requireWill } from "./publication.ts";
import { type ClientSettings, clientSettings } from "./settings.ts";
import type { MqttFeed, MqttSubscription } from "./subscription.ts";

/**
 * A client of any MQTT broker, MQTT 5 and 3.1.1, for programs whose peers know nothing of Parley. It connects at the first use, comes back
 * after a cut with its subscriptions, and settles what was under way with its true outcome: a publication that the broker has not confirmed
 * is `unknown`, and sent again by nobody but its caller.
 */
export class MqttClient implements AsyncDisposable {
  readonly #options: MqttClientOptions;
  readonly #settings: ClientSettings;
  readonly #runtime: Runtime;
  readonly #timeoutMs: number;
  readonly #keeper: LinkKeeper<Link>;
  readonly #policies: Policies;
  readonly #subscriptions: ClientSubscriptions;

  /** @throws ParleyError `invalid_argument` for options that make no sense */
  constructor(options: MqttClientOptions) {
    this.#settings = clientSettings(options);
    const { log, reconnect = {}, cleanStart = true } = options;
    const { runtime } = this.#settings;
    this.#options = options;
    this.#runtime = runtime;
    this.#policies = new Policies(options, this.#runtime);
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#subscriptions = new ClientSubscriptions({
      inherits: !cleanStart,
      timeoutMs: this.#timeoutMs,
      runtime,
      log,
      run: (operation, send) => this.#keeper.run(operation, send),
    });
    this.#keeper = new LinkKeeper({
      peer: this.#settings.url.host,
      dial: async (signal, { opened, lost }) => opened(await this.#dial(signal, lost)),
      shut: (link, graceMs) => link.close(graceMs),
      ping: (link) => link.ping(),
      ended: (reason) => this.#ended(reason),
      policy: reconnectPolicy(reconnect === false ? { maxAttempts: 0 } : reconnect),
      runtime,
      log,
    });
  }

  get state(): ClientState {
    return this.#keeper.state;
  }

  /** What the broker has said when it accepted the present connection; nothing while there is none. */
  get connected(): MqttConnected | undefined {
    const { link } = this.#keeper;
    return link && connectedOf(link);
  }

  /** Tells of each change of state from now on; gives back what takes the listener off again. It must not throw. */
  onState(listener: (change: ClientStateChange) => void): () => void {
    return this.#keeper.onState(listener);
  }

  /** How the client fares: asks the broker for a sign of life, and waits `timeoutMs` (5,000 unless told) for it. Opens nothing. Never rejects. */
  health(options?: OperationOptions): Promise<ClientHealth> {
    return this.#keeper.health(options);
  }

  /**
   * Connects, unless that is done. Every other operation does so by itself.
   * @throws ParleyError `unavailable`, `deadline_exceeded`, `unauthenticated`, `permission_denied`, `failed_precondition` for a version of MQTT
   * that the broker refuses
   */
  connect(options: OperationOptions = {}): Promise<MqttConnected> {
    return this.#policies.run({ type: "mqtt.connect", kind: "request", idempotent: true, ...options }, (attempt) => {
      const what = `connecting to ${this.#settings.url.host}`;
      const operation = new Operation<MqttConnected>({ what, runtime: this.#runtime, ...attempt });
      this.#keeper.run(
        operation,
        (link) => operation.resolve(connectedOf(link)),
        (error) => operation.reject(error),
      );
      return operation.promise;
    });
  }

  /**
   * Publishes text, bytes, or anything else as JSON. Resolves when the broker has confirmed it; at QoS 0 when it is written.
   * @throws ParleyError `rejected` with {@link MqttErrorDetails} as the broker refuses (`permission_denied`, `resource_exhausted`, …), `unknown`
   * when the connection is lost before it has answered, `not-sent` for the rest: `invalid_argument` for a topic that is none,
   * `failed_precondition` for what this broker cannot do, `resource_exhausted` when too many wait, `unavailable`
   */
  async publish(topic: string, data: MqttData, options: MqttPublishOptions = {}): Promise<MqttPublished> {
    const publication = clientPublication(topic, data, options);
    const given = { type: "mqtt.publish", kind: "publish", ...this.#timed(options) } as const;
    return this.#policies.run(given, (attempt) => {
      const what = `the publication to ${topic}`;
      const operation = new Operation<MqttPublished>({ what, runtime: this.#runtime, ...attempt });
      this.#keeper.run(operation, (link) => send(link, publication, operation));
      return operation.promise;
    });
  }

  /**
   * Subscribes by filters with `+` and `#`, or `$share/<group>/<filter>`. Resolves when the broker has granted them all; what is published next
   * arrives. The subscription outlives cuts, until it is left, its `signal` is aborted, or the client ends.
   * @throws ParleyError as `publish`; when the broker refuses one of the filters, its details have the reason for each, and none is kept
   */
  async subscribe(filters: MqttFilters, options: MqttSubscribeOptions = {}): Promise<MqttSubscription> {
    knownOptions("a subscription", options, subscribeOptions);
    const wanted = checkFilters(filters, options.qos);
    const given = { type: "mqtt.subscribe", kind: "subscribe", ...this.#timed(options) } as const;
    const unwanted = new Set<ClientSubscription>();
    try {
      const subscription = await this.#policies.run(given, async (attempt) => {
        const made = await this.#subscriptions.open(wanted, options, attempt);
        unwanted.add(made);
        return made;
      });
      unwanted.delete(subscription);
      return subscription;
    } finally {
      // A policy has refused what it had let pass.
      for (const subscription of unwanted) subscription.end(undefined);
    }
  }

  /**
   * Subscribes, and calls the handler with each message, one after the other: the next one waits until the promise of the handler is settled.
   * What a handler throws is logged, and the next message is handled.
   * @throws ParleyError as `subscribe`
   */
  async onMessage(
    filters: MqttFilters,
    handler: (message: MqttMessage) => unknown,
    options: MqttSubscribeOptions = {},
  ): Promise<MqttFeed> {
    if (typeof handler !== "function")
      throw invalid(`the handler of ${String(filters)} is no function but ${typeof handler}`);
    const subscription = await this.subscribe(filters, options);
    void feedHandler(subscription, handler, this.#options.log);
    return subscription;
  }

  /**
   * Takes no new operations, lets publications under way be confirmed within the grace, says goodbye (so that the broker publishes no will) and hangs
   * up. Subscriptions end, once what has come is read. Idempotent; resolves when nothing is left open.
   */
  close({ graceMs = 5_000 }: CloseOptions = {}): Promise<void> {
    return this.#keeper.close(graceMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What an operation is given, with its time. */
  #timed<Options extends OperationOptions>(options: Options): Options {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs };
  }

  #dial(signal: AbortSignal, down: (error: ParleyError) => void): Promise<Link> {
    const { credentials, will, protocolVersion } = this.#options;
    const { url } = this.#settings;
    return loggedIn({ ...this.#settings, credentials, signal }, async (login, connectTimeoutMs) => {
      const begun = this.#runtime.now();
      const identity = identityOf(url, this.#options, login);
      const init: LinkInit = {
        ...this.#settings,
        ...identity,
        connectTimeoutMs,
        signal,
        arrived: this.#subscriptions.deliver,
        down,
      };
      const link = await openEither(init, protocolVersion);
      await readyLink(link, { ...init, begun }, async () => {
        requireWill(will, link.server);
        await this.#subscriptions.renew(link);
      });
      return link;
    });
  }

  #ended(reason: ParleyError | undefined): void {
    const { host } = this.#settings.url;
    const error =
      reason &&
      new TransportError("unavailable", `the connection to ${host} was given up: ${reason.message}`, {
        outcome: "unknown",
        cause: reason,
      });
    this.#subscriptions.end(error);
  }
}

const subscribeOptions: OptionNames<MqttSubscribeOptions> = {
  qos: true,
  retained: true,
  maxUnread: true,
  maxUnreadBytes: true,
  overflow: true,
  signal: true,
  timeoutMs: true,
};

function connectedOf({ server }: Link): MqttConnected {
  return { sessionPresent: server.sessionPresent, protocolVersion: server.version };
}

function send(link: Link, publication: ClientPublication, operation: Operation<MqttPublished>): void {
  const { topic, payload, qos } = publication;
  const published: Published = (error, reason) => {
    const noSubscribers = reason === NO_MATCHING_SUBSCRIBERS;
    // To the transport the broker is on the way; here it is the peer, and has answered.
    if (error) operation.reject(reason >= FAILURE ? withOutcome(error, "rejected") : error);
    // Nothing confirms it: whoever publishes waits as long as the broker does not read.
    else if (qos === 0) void Promise.resolve(link.writable()).then(() => operation.resolve({ noSubscribers }));
    else operation.resolve({ noSubscribers });
  };
  operation.undo = () => (link.withdraw(published) ? "not-sent" : "unknown");
  try {
    link.publish(topic, payload, publishOptions(publication, link.server), published);
  } catch (thrown) {
    operation.reject(toParleyError(thrown));
  }
}

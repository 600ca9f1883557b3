import {
  cancelled,
  type Log,
  Operation,
  type OperationOptions,
  type ParleyError,
  type Runtime,
  toParleyError,
  within,
  withOutcome,
} from "@parley/core/transport";
import type { Link } from "../link.ts";
import { type Registration, Routes, type Taker } from "../routes.ts";
import { patternOf } from "../topic.ts";
import { ClientSubscription } from "./client-subscription.ts";
import { grantsOf, namesOf, requireFilters } from "./filters.ts";
import type { MqttGrant, MqttSubscribeOptions } from "./options.ts";
import { Unclaimed } from "./unclaimed.ts";

/** What {@link ClientSubscriptions} are made from. */
export interface ClientSubscriptionsInit {
  /** Whether an earlier process may have left subscriptions in the session. */
  readonly inherits: boolean;
  /** How long the broker may take to confirm that it has forgotten one, unless the subscription says so itself. */
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  /** Does something as soon as there is a link. */
  run(operation: Operation<void>, send: (link: Link) => void): void;
}

/** The subscriptions of a client, over one link after the other, each until it is left, its signal is aborted, or the client ends. */
export class ClientSubscriptions {
  readonly #init: ClientSubscriptionsInit;
  readonly #unclaimed: Unclaimed | undefined;
  readonly #routes: Routes;
  readonly #all = new Set<ClientSubscription>();

  constructor(init: ClientSubscriptionsInit) {
    const { inherits, log, runtime } = init;
    this.#init = init;
    this.#unclaimed = inherits ? new Unclaimed(log) : undefined;
    this.#routes = new Routes({ random: runtime, unclaimed: this.#unclaimed?.add });
  }

  /** Hands a message to those it is for. */
  readonly deliver: Taker = (topic, payload, packet) => this.#routes.deliver(topic, payload, packet);

  /** Goes on over a new link. @throws ParleyError when the link is lost */
  renew(link: Link): Promise<void> {
    return this.#routes.renew(link);
  }

  /** Resolves when the broker has granted all filters. @throws ParleyError as the broker refuses one of them, and none is kept */
  async open(
    wanted: readonly MqttGrant[],
    options: MqttSubscribeOptions,
    attempt: OperationOptions,
  ): Promise<ClientSubscription> {
    const { runtime } = this.#init;
    const name = namesOf(wanted);
    const registrations: Registration[] = [];
    const subscription = new ClientSubscription({
      name,
      options,
      remove: () => this.#takeBack(name, registrations, options.timeoutMs),
    });
    const operation = new Operation<void>({ what: `the subscription to ${name}`, runtime, ...attempt });
    // Before there is a link: what a session has kept comes as soon as there is one.
    for (const { filter, qos } of wanted) {
      const refused = (error: ParleyError): void => subscription.end(error);
      const route = { qos, retained: options.retained ?? true, refused };
      registrations.push(this.#routes.register(filter, route, subscription.take));
    }
    const claimed = wanted.flatMap(({ filter }) => this.#unclaimed?.claim(patternOf(filter)) ?? []);
    for (const { topic, payload, packet } of claimed) subscription.take(topic, payload, packet);
    this.#keep(subscription, options.signal);
    this.#init.run(operation, async (link) => {
      operation.undo = () => "unknown";
      try {
        requireFilters(wanted, link.server);
        const results = await Promise.allSettled(registrations.map(({ subscribe }) => subscribe(link)));
        subscription.filters = grantsOf(wanted, results);
        operation.resolve();
      } catch (thrown) {
        operation.reject(toParleyError(thrown));
      }
    });
    try {
      await operation.promise;
      return subscription;
    } catch (thrown) {
      subscription.end(toParleyError(thrown), "abort");
      for (const { topic, payload, packet } of claimed) this.#unclaimed?.add(topic, payload, packet);
      throw thrown;
    }
  }

  /** The client has ended. */
  end(reason: ParleyError | undefined): void {
    for (const subscription of [...this.#all]) subscription.end(reason);
  }

  /** Ends it with the client, or when its signal is aborted. */
  #keep(subscription: ClientSubscription, signal: AbortSignal | undefined): void {
    const abort = (): void => subscription.end(withOutcome(cancelled(signal?.reason, "unknown"), "unknown"), "abort");
    this.#all.add(subscription);
    signal?.addEventListener("abort", abort);
    void subscription.closed.then(() => {
      this.#all.delete(subscription);
      signal?.removeEventListener("abort", abort);
    });
  }

  /** Resolves when the broker has confirmed it, or has had time enough: nobody is held up by a broker that does not answer. */
  async #takeBack(name: string, registrations: readonly Registration[], timeoutMs?: number): Promise<void> {
    const { timeoutMs: usual, runtime, log } = this.#init;
    const removed = Promise.all(registrations.map(({ remove }) => remove()));
    try {
      const what = `the broker did not confirm that ${name} was unsubscribed from`;
      await within(removed, { timeoutMs: timeoutMs ?? usual }, runtime, what);
    } catch (error) {
      log?.({ level: "warn", event: "unsubscribe-failed", message: toParleyError(error).message, error });
    }
  }
}

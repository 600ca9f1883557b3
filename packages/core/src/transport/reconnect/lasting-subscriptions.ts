import type { Call } from "../../call/call.ts";
import { type ParleyError, toParleyError } from "../../call/error.ts";
import type { Invoke, Reply } from "../../call/interceptor.ts";
import { fullJitter } from "../../runtime/backoff.ts";
import { pause } from "../../runtime/pause.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Connection } from "../transport.ts";
import { type OnGap, onGap } from "./gap.ts";
import { LastingSubscription, type SubscriptionKeeper } from "./lasting-subscription.ts";
import type { RedialPolicy } from "./redial.ts";

/** What of a connection a subscription is made on. */
type Ground = Pick<Connection, "call" | "state">;

/** What {@link LastingSubscriptions} are made from. */
export interface LastingSubscriptionsInit extends Omit<SubscriptionKeeper, "over"> {
  readonly policy: RedialPolicy;
  readonly runtime: Runtime;
  /** Aborted when nobody wants them any more. */
  readonly signal: AbortSignal;
  /** Whether this connection is the one in use. */
  uses(connection: Ground): boolean;
  /** One could not be made again this time. */
  failed(error: ParleyError): void;
}

/** The subscriptions that outlive the connection that they began on. */
export class LastingSubscriptions implements SubscriptionKeeper {
  readonly #init: LastingSubscriptionsInit;
  readonly #all = new Set<LastingSubscription>();
  /** The first calls of these. */
  readonly #opening = new WeakSet<Call>();

  constructor(init: LastingSubscriptionsInit) {
    this.#init = init;
  }

  /** Whom a call tells of gaps, which asks for a subscription that lasts. A call that such a subscription makes asks for none. */
  gapOf(call: Call): OnGap | undefined {
    const { kind, context } = call;
    return kind === "subscribe" && !this.#opening.has(call) ? context.get(onGap) : undefined;
  }

  /** Begins one. @throws ParleyError what the peer or the connection answers */
  async open(call: Call, gap: OnGap, invoke: Invoke): Promise<Reply> {
    const subscription = new LastingSubscription(call, gap, this);
    try {
      await subscription.make((made) => {
        this.#opening.add(made);
        return invoke(made);
      });
    } catch (thrown) {
      subscription.fail(toParleyError(thrown));
      throw thrown;
    }
    this.#all.add(subscription);
    return { output: subscription };
  }

  /** Makes all of them again on another connection. Rejects when it cannot carry them. */
  remake(connection: Ground): Promise<unknown> {
    return Promise.all([...this.#all].map((subscription) => this.#remake(subscription, connection)));
  }

  /** Makes one again on the connection in use, as often as the policy allows. Never rejects. */
  async mend(subscription: LastingSubscription, connection: Ground): Promise<void> {
    const { policy, runtime, signal } = this.#init;
    for (let attempt = 1; this.#all.has(subscription); attempt++) {
      await pause(fullJitter(attempt, policy, runtime), signal, runtime);
      // Otherwise it comes back with the next connection, or ends with this one.
      if (!this.#init.uses(connection) || connection.state !== "open") return;
      try {
        return await this.#remake(subscription, connection);
      } catch (thrown) {
        const error = toParleyError(thrown);
        this.#init.failed(error);
        if (attempt >= policy.maxAttempts) subscription.fail(error);
      }
    }
  }

  /** The connection in use goes on: makes those again that were cut with it. */
  mendCut(connection: Ground): void {
    for (const subscription of this.#all) {
      if (subscription.isCut) void this.mend(subscription, connection);
    }
  }

  /** None can be made again: they end with the error. */
  fail(error: ParleyError): void {
    for (const subscription of [...this.#all]) subscription.fail(error);
  }

  survives(error: ParleyError): boolean {
    return this.#init.survives(error);
  }

  broken(subscription: LastingSubscription, cut: ParleyError): void {
    this.#init.broken(subscription, cut);
  }

  over(subscription: LastingSubscription): void {
    this.#all.delete(subscription);
  }

  /** What the peer refuses ends the subscription; what the connection cannot carry, the attempt. */
  async #remake(subscription: LastingSubscription, connection: Ground): Promise<void> {
    try {
      await subscription.make(connection.call);
    } catch (thrown) {
      const error = toParleyError(thrown);
      if (error.code === "unavailable") throw error;
      subscription.fail(error);
    }
  }
}

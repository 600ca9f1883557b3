import type { Connection, Context, Envelope } from "@parley/core/transport";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";

/** A subscription in the hands of a scenario. */
export interface Subscriber {
  readonly made: Made;
  /** Data of all that has arrived, in order. */
  readonly received: unknown[];
  /** The topics it arrived on. */
  readonly topics: unknown[];
  /** Resolves when so much has arrived. @throws Finding after T. */
  count(n: number): Promise<void>;
  /** Resolves when something with this data has arrived. @throws Finding after T. */
  saw(data: unknown): Promise<void>;
  /** Ends it; resolves when it has ended. */
  unsubscribe(): Promise<void>;
  /** How it ended, if it has. */
  ended: undefined | "done" | Error;
}

/** Subscribes, and resolves when the transport says that it is active. */
export async function subscribe(
  env: Environment,
  connection: Connection,
  filter: string,
  context?: Context,
): Promise<Subscriber> {
  const made = env.calls.make(connection, "subscribe", "topics", { attributes: { subject: filter }, context });
  const output = await env.within(`the subscription to ${filter}`, env.calls.output(made));
  const iterator = output[Symbol.asyncIterator]();
  const received: unknown[] = [];
  const topics: unknown[] = [];
  const subscriber: Subscriber = {
    made,
    received,
    topics,
    ended: undefined,
    count: (n) => env.until(`${n} publications at a subscriber to ${filter}`, () => received.length >= n),
    saw: (data) => env.until(`${JSON.stringify(data)} at a subscriber to ${filter}`, () => received.includes(data)),
    async unsubscribe() {
      env.calls.cancel(made);
      await env.within(`the end of the subscription to ${filter}`, reading);
    },
  };
  const reading = (async () => {
    try {
      for (
        let next: IteratorResult<Envelope, unknown> = await iterator.next();
        !next.done;
        next = await iterator.next()
      ) {
        received.push(next.value.data);
        topics.push(next.value.subject);
      }
      subscriber.ended = "done";
    } catch (error) {
      subscriber.ended = error as Error; // what a call fails with
    }
  })();
  return subscriber;
}

/** Publishes; resolves when the transport says that it is handed over. */
export async function publish(env: Environment, connection: Connection, topic: string, data: unknown): Promise<void> {
  await env.within(`the publication to ${topic}`, attempt(env, connection, topic, data).reply);
}

/** Publishes, and leaves it to the caller to see what comes of it. */
export function attempt(env: Environment, connection: Connection, topic: string, data: unknown): Made {
  return env.calls.make(connection, "publish", "topics", { data, attributes: { subject: topic } });
}

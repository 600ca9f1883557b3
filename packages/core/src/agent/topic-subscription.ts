import { ParleyError, toParleyError } from "../call/error.ts";
import type { Log } from "../call/log.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { ItemReader, SKIP } from "./item-reader.ts";
import { isPromise, type Maybe } from "./maybe.ts";
import { leftEarly, type OpenCall } from "./open-call.ts";
import type { TopicPath } from "./topic-path.ts";

/** What a {@link TopicSubscription} reads. */
export interface TopicSubscriptionInit {
  readonly filter: string;
  readonly path: TopicPath;
  readonly read: (message: Envelope) => Maybe<unknown>;
  readonly log: Log | undefined;
}

/**
 * An active subscription. Whoever is connected to the wire can publish, so a message that does not fit the topic is passed over, counted
 * and told to the log; it does not end the subscription.
 */
export class TopicSubscription implements AsyncIterable<unknown>, AsyncDisposable {
  readonly filter: string;
  readonly #reader: ItemReader;
  readonly #init: TopicSubscriptionInit;
  #refused = 0;
  #taken = false;

  constructor(open: OpenCall, output: AsyncIterable<Envelope>, init: TopicSubscriptionInit) {
    this.filter = init.filter;
    this.#init = init;
    this.#reader = new ItemReader(open.call, {
      items: output,
      read: (message) => this.#read(message),
      ended: (end, error) => {
        if (end === "left") open.abort(error ?? leftEarly);
        else open.close();
      },
    });
  }

  get refused(): number {
    return this.#refused;
  }

  /** @throws ParleyError `failed_precondition` the second time. */
  [Symbol.asyncIterator](): AsyncIterableIterator<unknown, undefined, undefined> {
    if (this.#taken) {
      throw new ParleyError(
        "failed_precondition",
        `the subscription to ${this.filter} is being iterated already; subscribe again for another`,
        {
          outcome: "not-sent",
        },
      );
    }
    this.#taken = true;
    return this.#reader;
  }

  async close(): Promise<void> {
    await this.#reader.return();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #read(message: Envelope): Maybe<unknown> {
    try {
      const topic = message.subject ?? "";
      const params = this.#init.path.read(topic);
      if (!params)
        throw new ParleyError(
          "invalid_argument",
          `a publication to ${topic} came to the subscription to ${this.filter}`,
        );
      const data = this.#init.read(message);
      if (!isPromise(data)) return { data, params, topic, message };
      return data.then(
        (late) => ({ data: late, params, topic, message }),
        (thrown: unknown) => this.#refuse(message, thrown),
      );
    } catch (thrown) {
      return this.#refuse(message, thrown);
    }
  }

  #refuse(message: Envelope, thrown: unknown): typeof SKIP {
    this.#refused++;
    const error = toParleyError(thrown);
    this.#init.log?.({
      level: "warn",
      event: "publication-refused",
      message: `a publication to ${this.filter} was passed over: ${error.message}`,
      error,
      fields: { id: message.id, source: message.source, type: message.type },
    });
    return SKIP;
  }
}

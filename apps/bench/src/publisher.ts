import type { CallingSide } from "./contender.ts";
import { payload } from "./payload.ts";
import type { Content } from "./plan.ts";

/** A connection that publishes and subscribes. */
export type PubSub = Required<Pick<CallingSide, "publish" | "subscribe">>;

/** Publications that may be on their way at a time. */
export const MAX_PUBLISHED_AHEAD = 256;

/** Publishes to topics in turn, at the pace of the slowest subscriber, and sees to it that each gets everything, once. */
export class Publisher {
  readonly #publishing: PubSub;
  readonly #subscribing: readonly PubSub[];
  readonly #name: string;
  /** Topics that have their subscriptions. */
  #topics = 0;
  /** Subscribers, by their number, that a publication has yet to reach. */
  readonly #awaited = new Map<unknown, Set<number>>();
  #content: Content = "small";
  #published = 0;
  #last = 0;
  #done: PromiseWithResolvers<void> = Promise.withResolvers();

  /** @param name what the names of its topics begin with */
  constructor(publishing: PubSub, subscribing: readonly PubSub[], name: string) {
    this.#publishing = publishing;
    this.#subscribing = subscribing;
    this.#name = name;
  }

  /** Resolves when there are so many topics, and each subscriber has subscribed to all. There are never fewer again. */
  async subscribed(topics: number): Promise<void> {
    for (; this.#topics < topics; this.#topics++) {
      const topic = this.#topic(this.#topics);
      for (const [subscriber, side] of this.#subscribing.entries()) {
        await side.subscribe(topic, (serial) => this.#delivered(subscriber, serial));
      }
    }
  }

  /** Resolves when all subscribers have got so many publications more. */
  publish(content: Content, count: number): Promise<void> {
    this.#content = content;
    this.#last += count;
    this.#done = Promise.withResolvers();
    this.#pump();
    return this.#done.promise;
  }

  #topic(number: number): string {
    return `${this.#name}-${number}`;
  }

  #pump(): void {
    while (this.#published < this.#last && this.#awaited.size < MAX_PUBLISHED_AHEAD) {
      const serial = ++this.#published;
      this.#awaited.set(serial, new Set(this.#subscribing.keys()));
      const sent = this.#publishing.publish(this.#topic(serial % this.#topics), payload(this.#content, serial));
      sent?.catch((error) => this.#done.reject(error));
    }
  }

  #delivered(subscriber: number, serial: unknown): void {
    const awaited = this.#awaited.get(serial);
    if (!awaited?.delete(subscriber)) {
      const problem = `subscriber ${subscriber} got publication ${String(serial)}, which it has had, or nobody has sent`;
      this.#done.reject(new Error(problem));
      return;
    }
    if (awaited.size > 0) return;
    this.#awaited.delete(serial);
    if (this.#published < this.#last) this.#pump();
    else if (this.#awaited.size === 0) this.#done.resolve();
  }
}

import type { CallingSide } from "./contender.ts";
import { payload } from "./payload.ts";
import type { Content } from "./plan.ts";

/** Publications that may be on their way at a time. */
export const MAX_PUBLISHED_AHEAD = 256;

/** Publishes to topics in turn, at the pace of the slowest subscriber, and sees to it that each gets everything, once. */
export class Publisher {
  readonly #publishing: CallingSide;
  readonly #topics: readonly string[];
  readonly #subscribers: number;
  /** Subscribers, by their number, that a publication has yet to reach. */
  readonly #awaited = new Map<unknown, Set<number>>();
  #content: Content = "small";
  #published = 0;
  #last = 0;
  #done: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(publishing: CallingSide, topics: readonly string[], subscribers: number) {
    this.#publishing = publishing;
    this.#topics = topics;
    this.#subscribers = subscribers;
  }

  /** Resolves when each of `subscribing` has subscribed to every topic. */
  static async subscribed(
    publishing: CallingSide,
    topics: readonly string[],
    subscribing: readonly CallingSide[],
  ): Promise<Publisher> {
    const publisher = new Publisher(publishing, topics, subscribing.length);
    for (const [subscriber, side] of subscribing.entries()) {
      for (const topic of topics) await side.subscribe(topic, (serial) => publisher.#delivered(subscriber, serial));
    }
    return publisher;
  }

  /** Resolves when all subscribers have got so many publications more. */
  publish(content: Content, count: number): Promise<void> {
    this.#content = content;
    this.#last += count;
    this.#done = Promise.withResolvers();
    this.#pump();
    return this.#done.promise;
  }

  #pump(): void {
    while (this.#published < this.#last && this.#awaited.size < MAX_PUBLISHED_AHEAD) {
      const serial = ++this.#published;
      this.#awaited.set(serial, new Set(Array.from({ length: this.#subscribers }, (_, subscriber) => subscriber)));
      const topic = this.#topics[serial % this.#topics.length] ?? "";
      this.#publishing.publish(topic, payload(this.#content, serial))?.catch((error) => this.#done.reject(error));
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

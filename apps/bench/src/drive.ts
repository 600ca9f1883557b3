import { type CallingSide, check } from "./contender.ts";
import { MAX_PUBLISHED_AHEAD, type Size, SUBSCRIBERS, type Workload } from "./plan.ts";

/** What one slice of work took, seen by the calling process. */
export interface Taken {
  /** Requests, items or deliveries. */
  readonly operations: number;
  readonly elapsedMs: number;
  /** Time from a request to its reply; absent for what is no request. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

/** Does slices of work by one calling side. */
export type Drive = (work: Workload) => Promise<Taken>;

/** Ties a calling side to the clock. */
export function drive(side: CallingSide): Drive {
  let publisher: Publisher | undefined;
  return async ({ measure, size, count, inFlight, streamItems }) => {
    if (measure === "pubsub") {
      publisher ??= await Publisher.subscribed(side);
      const start = performance.now();
      await publisher.publish(size, count);
      return { operations: count * SUBSCRIBERS, elapsedMs: performance.now() - start };
    }
    if (measure === "stream") {
      const start = performance.now();
      for (let done = 0; done < count; done += streamItems) await side.stream(size, streamItems);
      return { operations: count, elapsedMs: performance.now() - start };
    }
    return requests(side, size, count, inFlight);
  };
}

/** Makes `count` requests, keeping `inFlight` of them under way. */
async function requests(side: CallingSide, size: Size, count: number, inFlight: number): Promise<Taken> {
  const latencies = new Float64Array(count);
  let next = 0;
  async function worker(): Promise<void> {
    while (next < count) {
      const serial = next++;
      const sentAt = performance.now();
      await side.request(size, serial);
      latencies[serial] = performance.now() - sentAt;
    }
  }
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const elapsedMs = performance.now() - start;
  latencies.sort();
  return { operations: count, elapsedMs, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

/** The value below which the given share of the sorted values lies (nearest rank). */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Publishes at the pace of the slowest subscriber, and sees to it that each gets everything, once and in order. */
class Publisher {
  readonly #side: CallingSide;
  readonly #received: number[] = new Array(SUBSCRIBERS).fill(0);
  #size: Size = "small";
  #published = 0;
  #last = 0;
  #done: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(side: CallingSide) {
    this.#side = side;
  }

  static async subscribed(side: CallingSide): Promise<Publisher> {
    const publisher = new Publisher(side);
    await side.subscribe(SUBSCRIBERS, (subscriber, serial) => publisher.#delivered(subscriber, serial));
    return publisher;
  }

  /** Resolves when all subscribers have got so many publications more. */
  publish(size: Size, count: number): Promise<void> {
    this.#size = size;
    this.#last += count;
    this.#done = Promise.withResolvers();
    this.#pump();
    return this.#done.promise;
  }

  #pump(): void {
    const slowest = Math.min(...this.#received);
    while (this.#published < this.#last && this.#published - slowest < MAX_PUBLISHED_AHEAD) {
      this.#side.publish(this.#size, ++this.#published);
    }
  }

  #delivered(subscriber: number, serial: unknown): void {
    try {
      const received = (this.#received[subscriber] ?? 0) + 1;
      check(`the publication that subscriber ${subscriber} gets`, serial, received);
      this.#received[subscriber] = received;
    } catch (error) {
      this.#done.reject(error);
      return;
    }
    if (this.#received.every((count) => count === this.#last)) this.#done.resolve();
    else if (this.#published < this.#last) this.#pump();
  }
}

import type { CallingSide } from "./contender.ts";
import { payload } from "./payload.ts";
import type { Publications, Requests, Workload } from "./plan.ts";
import { Publisher, type PubSub } from "./publisher.ts";

/** What one slice of work took, seen by the calling process. */
export interface Taken {
  /** Requests, items or deliveries. */
  readonly operations: number;
  readonly elapsedMs: number;
  /** Time from a request to its reply; absent for what is no request. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

/** Connections that are dialled at a time. */
const DIALLED_AT_ONCE = 32;

/** Does slices of work by the calling side of a contender, with as many connections as they need. */
export class Driver {
  readonly #connect: () => Promise<CallingSide>;
  readonly #name: string;
  readonly #sides: CallingSide[] = [];
  /** By the number of their subscribers. */
  readonly #publishers = new Map<number, Publisher>();

  /** @param name what the names of its topics begin with, which are its own */
  constructor(connect: () => Promise<CallingSide>, name: string) {
    this.#connect = connect;
    this.#name = name;
  }

  /** Opens connections until there are so many, and resolves with those. */
  async connected(connections: number): Promise<readonly CallingSide[]> {
    while (this.#sides.length < connections) {
      const count = Math.min(DIALLED_AT_ONCE, connections - this.#sides.length);
      this.#sides.push(...(await Promise.all(Array.from({ length: count }, () => this.#connect()))));
    }
    return this.#sides.slice(0, connections);
  }

  /** Does the work; what it needs is there before the clock starts. */
  async run(work: Workload): Promise<Taken> {
    switch (work.does) {
      case "requests":
        return requests(await this.connected(work.connections), work);
      case "streams": {
        const [side] = (await this.connected(1)) as [CallingSide]; // one was asked for
        const { streams, items, content } = work;
        if (!side.stream) throw new Error(`${this.#name} has no streams`);
        const start = performance.now();
        for (let done = 0; done < streams; done++) await side.stream({ content, items });
        return { operations: streams * items, elapsedMs: performance.now() - start };
      }
      case "publications": {
        const publisher = await this.#publisher(work);
        const start = performance.now();
        await publisher.publish(work.content, work.count);
        return { operations: work.count * work.subscribers, elapsedMs: performance.now() - start };
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#sides.map((side) => side.close()));
  }

  /** The publisher with so many subscribers, once each has subscribed to so many topics. Subscriptions stay. */
  async #publisher({ topics, subscribers }: Publications): Promise<Publisher> {
    let publisher = this.#publishers.get(subscribers);
    if (!publisher) {
      const [publishing, ...subscribing] = (await this.connected(1 + subscribers)).filter(isPubSub);
      if (!publishing) throw new Error(`${this.#name} does not publish`);
      publisher = new Publisher(publishing, subscribing, `${this.#name}-${subscribers}`);
      this.#publishers.set(subscribers, publisher);
    }
    await publisher.subscribed(topics);
    return publisher;
  }
}

function isPubSub(side: CallingSide): side is CallingSide & PubSub {
  return side.publish !== undefined && side.subscribe !== undefined;
}

/** Makes the requests, keeping so many of them under way. */
async function requests(sides: readonly CallingSide[], { content, count, inFlight }: Requests): Promise<Taken> {
  const latencies = new Float64Array(count);
  let next = 0;
  async function worker(): Promise<void> {
    while (next < count) {
      const serial = next++;
      const side = sides[serial % sides.length] as CallingSide; // there is one
      const sentAt = performance.now();
      await side.request(payload(content, serial));
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

import { describe, expect, it } from "vitest";
import type { CallingSide, Delivered } from "./contender.ts";
import { Driver, percentile } from "./drive.ts";
import { isOther } from "./others.ts";
import { payload } from "./payload.ts";
import { contenders, isContender, scaleOf, takesPart, type Wire, wires, workload } from "./plan.ts";
import { MAX_PUBLISHED_AHEAD } from "./publisher.ts";

/** Drives calling sides that answer by themselves, as far as they are not told otherwise. */
function driver(...sides: readonly Partial<CallingSide>[]): Driver {
  const unused = () => Promise.reject(new Error("not used"));
  const whole = sides.map((parts) => ({
    ...{ request: unused, stream: unused, subscribe: unused, publish: () => undefined, close: async () => {} },
    ...parts,
  }));
  return new Driver(async () => {
    const side = whole.shift();
    if (!side) throw new Error("one connection too many");
    return side;
  }, "it");
}

describe("a driver", () => {
  it("makes each request once and keeps so many in flight", async () => {
    const serials: number[] = [];
    let inFlight = 0;
    let most = 0;
    const taken = await driver({
      async request({ serial }) {
        serials.push(serial);
        most = Math.max(most, ++inFlight);
        await Promise.resolve();
        inFlight--;
      },
    }).run(workload("c64", "small", 0.01));
    expect(serials).toEqual(Array.from({ length: 200 }, (_, serial) => serial));
    expect(most).toBe(64);
    expect(taken).toMatchObject({ operations: 200, p50Ms: expect.any(Number), p99Ms: expect.any(Number) });
  });

  it("spreads requests over connections, which it opens once and closes", async () => {
    const counts = [0, 0, 0];
    let closed = 0;
    const driven = driver(
      ...counts.map((_, index) => ({
        async request() {
          counts[index] = (counts[index] ?? 0) + 1;
        },
        close: async () => void closed++,
      })),
    );
    const work = { does: "requests", content: "small", count: 9, inFlight: 2, connections: 3 } as const;
    await driven.run(work);
    await driven.run(work);
    expect(counts).toEqual([6, 6, 6]);
    await driven.close();
    expect(closed).toBe(3);
  });

  it("counts the items of streams", async () => {
    const asked: number[] = [];
    const driven = driver({ stream: async ({ items }) => void asked.push(items) });
    expect(await driven.run({ does: "streams", content: 100, streams: 2, items: 5 })).toMatchObject({ operations: 10 });
    expect(asked).toEqual([5, 5]);
  });
});

describe("a contender that only answers requests", () => {
  const driven = new Driver(async () => ({ request: async () => {}, close: async () => {} }), "it");

  it("is not taken for one that streams", async () => {
    const streams = driven.run({ does: "streams", content: "small", streams: 1, items: 5 });
    await expect(streams).rejects.toThrow("it has no streams");
  });

  it("is not taken for one that publishes", async () => {
    await expect(driven.run(workload("pubsub", "small"))).rejects.toThrow("it does not publish");
  });
});

describe("publications", () => {
  /** A publishing side and its subscribers, whose deliveries are made by hand. */
  function hall(subscribers: number): {
    readonly driven: Driver;
    readonly published: number[];
    readonly deliver: Delivered[];
  } {
    const published: number[] = [];
    const deliver: Delivered[] = [];
    const publishing = {
      publish(_topic: string, { serial }: { serial: number }): undefined {
        published.push(serial);
      },
    };
    const subscribing = Array.from({ length: subscribers }, () => ({
      subscribe: async (_topic: string, delivered: Delivered) => void deliver.push(delivered),
    }));
    return { driven: driver(publishing, ...subscribing), published, deliver };
  }

  it("go no further than the slowest subscriber allows", async () => {
    const { driven, published, deliver } = hall(4);
    const running = driven.run(workload("pubsub", "small", 0.1));
    await expect.poll(() => published.length).toBe(MAX_PUBLISHED_AHEAD);
    for (const serial of published) for (const subscriber of [0, 1, 2]) deliver[subscriber]?.(serial);
    expect(published).toHaveLength(MAX_PUBLISHED_AHEAD);
    // The iteration goes on to what the deliveries to the fourth let out.
    for (const serial of published) {
      if (serial > MAX_PUBLISHED_AHEAD) for (const subscriber of [0, 1, 2]) deliver[subscriber]?.(serial);
      deliver[3]?.(serial);
    }
    expect(await running).toMatchObject({ operations: 2_000 });
  });

  it("fail when a subscriber gets one twice", async () => {
    const { driven, published, deliver } = hall(4);
    const running = driven.run(workload("pubsub", "small"));
    const failed = expect(running).rejects.toThrow("subscriber 2 got publication 1, which it has had");
    await expect.poll(() => published.length).toBeGreaterThan(1);
    deliver[2]?.(1);
    deliver[2]?.(1);
    await failed;
  });

  it("go to topics in turn, each with its own subscription", async () => {
    const topics: string[] = [];
    const subscriptions = new Map<string, Delivered>();
    const driven = driver(
      {
        publish(topic, { serial }) {
          topics.push(topic);
          subscriptions.get(topic)?.(serial);
          return undefined;
        },
      },
      { subscribe: async (topic, delivered) => void subscriptions.set(topic, delivered) },
    );
    const taken = await driven.run({ does: "publications", content: "small", count: 6, topics: 3, subscribers: 1 });
    expect(taken.operations).toBe(6);
    expect(subscriptions.size).toBe(3);
    expect(new Set(topics.slice(0, 3))).toEqual(new Set(subscriptions.keys()));
  });
});

describe("percentile", () => {
  it("is the nearest rank", () => {
    const values = Float64Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile(Float64Array.of(7), 0.99)).toBe(7);
  });
});

describe("payload", () => {
  it("is 200 bytes or 16 KiB as JSON, or as long as asked", () => {
    expect(JSON.stringify(payload("small", 1_000)).length).toBeCloseTo(200, -1);
    expect(JSON.stringify(payload("large", 1_000)).length / 1024).toBeCloseTo(16, 0);
    expect(payload(1_000, 1)["text"]).toHaveLength(1_000);
  });
});

describe("what is measured", () => {
  it("of other frameworks is some measures, of small events, in shorter slices", () => {
    expect(takesPart("trpc", "ws", "stream", "small")).toBe(true);
    expect(takesPart("trpc", "ws", "stream", "large")).toBe(false);
    expect(takesPart("trpc", "ws", "pubsub", "small")).toBe(false);
    expect(takesPart("trpc-batch", "http", "stream", "small")).toBe(false);
    expect(takesPart("parley", "ws", "pubsub", "large")).toBe(true);
    expect(scaleOf("trpc", 1)).toBeLessThan(scaleOf("parley", 1));
  });

  it("of a wire is what has been written for it", () => {
    const names = (wire: Wire) => contenders.filter((name) => isOther(name) && isContender(wire, name));
    expect(Object.fromEntries(wires.map((wire) => [wire, names(wire)]))).toEqual({
      stdio: ["mcp"],
      ws: ["trpc", "orpc", "rsocket"],
      http: ["trpc", "trpc-batch", "orpc", "connect", "a2a", "mcp"],
      sse: ["mcp"],
      grpc: ["connect"],
      mqtt: ["nest"],
    });
  });
});

describe("workload", () => {
  it("streams whole streams and keeps something to do at any scale", () => {
    expect(workload("stream", "small")).toMatchObject({ streams: 3, items: 10_000 });
    expect(workload("c1", "large", 0)).toMatchObject({ count: 8, inFlight: 1 });
  });
});

import { describe, expect, it } from "vitest";
import type { CallingSide } from "./contender.ts";
import { drive, percentile } from "./drive.ts";
import { payload } from "./payload.ts";
import { MAX_PUBLISHED_AHEAD, workload } from "./plan.ts";

/** A calling side that answers by itself, as far as it is not told otherwise. */
function side(parts: Partial<CallingSide>): CallingSide {
  const unused = () => Promise.reject(new Error("not used"));
  return { request: unused, stream: unused, subscribe: unused, publish: () => {}, close: unused, ...parts };
}

describe("drive", () => {
  it("makes each request once and keeps so many in flight", async () => {
    const serials: number[] = [];
    let inFlight = 0;
    let most = 0;
    const taken = await drive(
      side({
        async request(_size, serial) {
          serials.push(serial);
          most = Math.max(most, ++inFlight);
          await Promise.resolve();
          inFlight--;
        },
      }),
    )(workload("c64", "small", 0.01));
    expect(serials).toEqual(Array.from({ length: 200 }, (_, serial) => serial));
    expect(most).toBe(64);
    expect(taken).toMatchObject({ operations: 200, p50Ms: expect.any(Number), p99Ms: expect.any(Number) });
  });

  it("publishes no further than the slowest subscriber allows", async () => {
    const published: number[] = [];
    let deliver: ((subscriber: number, serial: unknown) => void) | undefined;
    const running = drive(
      side({
        async subscribe(_subscribers, delivered) {
          deliver = delivered;
        },
        publish: (_size, serial) => void published.push(serial),
      }),
    )(workload("pubsub", "small", 0.1));
    await new Promise(setImmediate);
    expect(published).toHaveLength(MAX_PUBLISHED_AHEAD);
    for (const serial of published) for (const subscriber of [0, 1, 2]) deliver?.(subscriber, serial);
    expect(published).toHaveLength(MAX_PUBLISHED_AHEAD);
    // The iteration goes on to what the deliveries to the fourth let out.
    for (const serial of published) {
      if (serial > MAX_PUBLISHED_AHEAD) for (const subscriber of [0, 1, 2]) deliver?.(subscriber, serial);
      deliver?.(3, serial);
    }
    expect(await running).toMatchObject({ operations: 2_000 });
  });

  it("fails when a subscriber misses a publication", async () => {
    let deliver: ((subscriber: number, serial: unknown) => void) | undefined;
    const running = drive(
      side({
        async subscribe(_subscribers, delivered) {
          deliver = delivered;
        },
        publish: (_size, serial) => void (serial === 2 && deliver?.(2, serial)),
      }),
    )(workload("pubsub", "small"));
    await expect(running).rejects.toThrow("the publication that subscriber 2 gets must be 1, and is 2");
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
  it("is 200 bytes or 16 KiB as JSON", () => {
    expect(JSON.stringify(payload("small", 1_000)).length).toBeCloseTo(200, -1);
    expect(JSON.stringify(payload("large", 1_000)).length / 1024).toBeCloseTo(16, 0);
  });
});

describe("workload", () => {
  it("streams whole streams and keeps something to do at any scale", () => {
    expect(workload("stream", "small")).toMatchObject({ count: 30_000, streamItems: 10_000 });
    expect(workload("c1", "large", 0)).toMatchObject({ count: 8, inFlight: 1 });
  });
});

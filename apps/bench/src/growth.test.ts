import { describe, expect, it } from "vitest";
import { stepsOf, workAt } from "./growth.ts";
import { growthFactor, growthFigures } from "./report/growth-figures.ts";

const sample = { operations: 1_000, cpuSeconds: 0.002, residentMiB: 80, peakMiB: 90 };

describe("curves", () => {
  it("go as far as the wire can, and not so far in a short run", () => {
    expect(stepsOf("ws", "in-flight").at(-1)).toBe(10_000);
    expect(stepsOf("http", "in-flight").at(-1)).toBe(1_000);
    expect(stepsOf("mqtt", "connections").at(-1)).toBe(5_000);
    expect(stepsOf("grpc", "subscriptions").at(-1)).toBe(10_000);
    expect(stepsOf("stdio", "item-bytes").at(-1)).toBe(16 * 2 ** 20);
    expect(stepsOf("ws", "connections", 0.1).at(-1)).toBe(100);
  });

  it("do enough at each step to use all that it has", () => {
    expect(workAt("in-flight", 10_000)).toMatchObject({ inFlight: 10_000, count: 20_000 });
    expect(workAt("subscriptions", 10_000)).toMatchObject({ topics: 10_000, count: 20_000 });
    expect(workAt("connections", 1, 0.1)).toMatchObject({ connections: 1, count: 1_000 });
    expect(workAt("item-bytes", 2 ** 24)).toMatchObject({ content: 2 ** 24, items: 4 });
  });

  it("have a cost for each step that a contender took, and say why it took no more", () => {
    const [raw, parley] = growthFigures({
      wire: "ws",
      curve: "in-flight",
      steps: [
        { at: 1, samples: { raw: [{ ...sample, elapsedMs: 20 }], parley: [{ ...sample, elapsedMs: 10 }] } },
        { at: 10, samples: { raw: [], parley: [{ ...sample, elapsedMs: 30 }] } },
      ],
      ended: { raw: "too many sockets" },
    });
    expect(raw).toMatchObject({ contender: "raw", points: [{ at: 1, elapsedUs: 20 }], ended: "too many sockets" });
    expect(parley?.points).toEqual([
      { at: 1, elapsedUs: 10, cpuUs: 2, residentMiB: 80 },
      { at: 10, elapsedUs: 30, cpuUs: 2, residentMiB: 80 },
    ]);
    expect(raw && growthFactor(raw)).toBeUndefined();
    expect(parley && growthFactor(parley)).toBe(3);
  });

  it("count the cost of a byte where steps are bytes", () => {
    const points = [
      { at: 100, elapsedUs: 100, cpuUs: null, residentMiB: null },
      { at: 1_000, elapsedUs: 100, cpuUs: null, residentMiB: null },
      { at: 10_000, elapsedUs: 1_500, cpuUs: null, residentMiB: null },
    ];
    expect(growthFactor({ wire: "ws", curve: "item-bytes", contender: "raw", points })).toBeCloseTo(1.5);
  });
});

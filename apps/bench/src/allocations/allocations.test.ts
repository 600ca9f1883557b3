import { describe, expect, it } from "vitest";
import { wires } from "../plan.ts";
import { allocations } from "./allocations.ts";

/**
 * What a call of Parley may allocate, bytes: about half as much again as it does, since the batches that a turn makes depend on the machine. More
 * is a slide: find what each message pays for anew, or say in the commit what it is worth, with the figure.
 */
const most = {
  memory: { requestBytes: 16_000, itemBytes: 5_000 },
  stdio: { requestBytes: 12_000, itemBytes: 2_500 },
  ws: { requestBytes: 23_000, itemBytes: 5_500 },
  http: { requestBytes: 43_000, itemBytes: 7_500 },
  sse: { requestBytes: 44_000, itemBytes: 9_000 },
  grpc: { requestBytes: 17_000, itemBytes: 5_500 },
  mqtt: { requestBytes: 52_000, itemBytes: 6_500 },
} as const;

describe("what calls allocate", () => {
  it.each(["memory", ...wires] as const)("stays within bounds over %s", { timeout: 60_000 }, async (wire) => {
    const { requestBytes, itemBytes } = await allocations(wire, "parley");
    expect(requestBytes).toBeGreaterThan(1_000);
    expect(requestBytes).toBeLessThan(most[wire].requestBytes);
    expect(itemBytes).toBeGreaterThan(500);
    expect(itemBytes).toBeLessThan(most[wire].itemBytes);
  });
});

import { describe, expect, it } from "vitest";
import { wires } from "../plan.ts";
import { allocations } from "./allocations.ts";

/**
 * What a call of Parley may allocate, bytes: three tenths more than it does; it spreads by two hundredths. More is a slide: find what each message
 * pays for anew, or say in the commit what it is worth, with the figure.
 */
const most = {
  memory: { requestBytes: 13_800, itemBytes: 4_300 },
  stdio: { requestBytes: 10_400, itemBytes: 2_100 },
  ws: { requestBytes: 20_000, itemBytes: 4_700 },
  http: { requestBytes: 37_000, itemBytes: 6_500 },
  sse: { requestBytes: 37_800, itemBytes: 7_800 },
  grpc: { requestBytes: 14_700, itemBytes: 4_600 },
  mqtt: { requestBytes: 23_400, itemBytes: 5_200 },
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

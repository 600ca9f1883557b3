import { expect, test } from "vitest";
import { policyContenders } from "./contenders.ts";
import { measurePolicies } from "./measure.ts";

test("every contender makes its calls, and costs something", async () => {
  const costs = await measurePolicies(policyContenders, 2, 20);
  expect(costs.map(({ name }) => name)).toEqual(policyContenders.map(({ name }) => name));
  for (const { minNs, medianNs, maxNs } of costs) {
    expect(minNs).toBeGreaterThan(0);
    expect(medianNs).toBeGreaterThanOrEqual(minNs);
    expect(maxNs).toBeGreaterThanOrEqual(medianNs);
  }
});

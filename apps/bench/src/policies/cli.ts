#!/usr/bin/env node
import { policyContenders } from "./contenders.ts";
import { measurePolicies } from "./measure.ts";

const quick = process.argv.includes("--quick");
const costs = await measurePolicies(policyContenders, quick ? 3 : 11, quick ? 5_000 : 100_000);
const bare = costs[0]?.medianNs ?? Number.NaN;
const width = Math.max(...costs.map(({ name }) => name.length));
console.log(`${"contender".padEnd(width)}  ns per call  (lowest–highest)  more than none`);
for (const { name, medianNs, minNs, maxNs } of costs) {
  const range = `(${minNs.toFixed(0)}–${maxNs.toFixed(0)})`;
  console.log(
    `${name.padEnd(width)}  ${medianNs.toFixed(0).padStart(11)}  ${range.padStart(16)}  ${(medianNs - bare).toFixed(0).padStart(14)}`,
  );
}

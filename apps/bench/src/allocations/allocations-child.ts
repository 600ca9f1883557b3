import { PerformanceObserver } from "node:perf_hooks";
import type { Contender } from "../contender.ts";
import { Driver } from "../drive.ts";
import type { ContenderName, Wire, Workload } from "../plan.ts";
import { median } from "../ratio.ts";

/** Both sides of a contender in one process, which sends its parent what calls allocate, and ends. */
const [wire, name, broker] = process.argv.slice(2) as [Wire | "memory", ContenderName, string?]; // from allocations()

/** After these the code is compiled as it will stay, by and large. */
const WARM_UP_ROUNDS = 3;
const ROUNDS = 3;
/** More are tried when garbage was collected during some. */
const MAX_ROUNDS = 12;

const requests: Workload = { does: "requests", content: "small", count: 500, inFlight: 64, connections: 1 };
const items: Workload = { does: "streams", content: "small", streams: 1, items: 2_000 };

let collections = 0;
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length;
});
observer.observe({ entryTypes: ["gc"] });

const contender = await load();
const serving = wire === "stdio" ? undefined : await contender.serve(broker);
const driver = new Driver(() => contender.connect(serving?.url ?? "stdio:"), name);
const measured = { requestBytes: await bytes(requests), itemBytes: await bytes(items) };
await new Promise((sent) => process.send?.(measured, sent));
await driver.close();
await serving?.close();
process.disconnect();

async function load(): Promise<Contender> {
  if (wire !== "memory") return (await import("../contenders/load.ts")).loadContender(wire, name);
  const { memory } = await import("@parley/core/transport");
  return (await import("../contenders/parley.ts")).parley(memory());
}

/** Bytes of one operation: the median of the rounds, since now and then V8 compiles, which takes memory too. */
async function bytes(work: Workload): Promise<number> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await driver.run(work);
  const rounds: number[] = [];
  for (let round = 0; rounds.length < ROUNDS; round++) {
    if (round === MAX_ROUNDS) throw new Error("garbage is collected whenever allocations are counted");
    globalThis.gc?.();
    await seen();
    const before = collections;
    const start = process.memoryUsage().heapUsed;
    const { operations } = await driver.run(work);
    const allocated = process.memoryUsage().heapUsed - start;
    await seen();
    if (collections === before) rounds.push(allocated / operations);
  }
  return median(rounds);
}

/** The observer is told of collections in a turn of its own. */
async function seen(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
}
